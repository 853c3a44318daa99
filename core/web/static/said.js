// What changes by itself is told to screen readers in one sentence, and only when the
// sentence is another one: a page that refreshes must not talk all the time.
document.addEventListener("htmx:oobBeforeSwap", function (e) {
  if (e.detail.target.id === "said" && e.detail.target.textContent === e.detail.fragment.textContent) {
    e.detail.shouldSwap = false;
  }
});
