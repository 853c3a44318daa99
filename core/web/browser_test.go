package web

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// The windows that pages are looked at in.
const (
	phone  = 360
	laptop = 1280
	tall   = 900
)

// window is a real browser with one page open.
type window struct {
	context.Context
	l *lab

	mu sync.Mutex
	// complaints are what the browser wrote to its console: scripts that fail, files
	// and styles that the policy forbids.
	complaints []string
}

// window opens a browser of its own.
func (l *lab) window(width int64) *window {
	l.t.Helper()
	path := os.Getenv("PROVHUB_TEST_CHROMIUM")
	if path == "" {
		l.t.Skip("needs PROVHUB_TEST_CHROMIUM: run make test")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	l.t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx,
		chromedp.ExecPath(path), chromedp.UserDataDir(l.t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true))
	l.t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	l.t.Cleanup(cancel)
	w := &window{Context: ctx, l: l}
	w.run(chromedp.EmulateViewport(width, tall))
	console := chromedp.Console(ctx)
	go w.listen(console)
	return w
}

// listen keeps what the browser complains of.
func (w *window) listen(console iter.Seq2[chromedp.ConsoleMessage, error]) {
	for m, err := range console {
		if err != nil {
			return // the browser is closed
		}
		if m.IsException() || m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning {
			w.mu.Lock()
			w.complaints = append(w.complaints, m.String()+" "+m.URL)
			w.mu.Unlock()
		}
	}
}

// content fails the test when the browser has complained of anything but what the
// text expected stands for.
func (w *window) content(expected string) {
	w.l.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.complaints {
		if expected == "" || !strings.Contains(c, expected) {
			assert.Fail(w.l.t, "the browser complains", c)
		}
	}
}

func (w *window) run(actions ...chromedp.Action[chromedp.Void]) {
	w.l.t.Helper()
	require.NoError(w.l.t, chromedp.Do(w, actions...))
}

// open shows a page.
func (w *window) open(path string) {
	w.l.t.Helper()
	w.run(chromedp.Navigate(w.l.URL+path), chromedp.WaitReady(chromedp.CSS("main")))
}

// click, fill and await do what their names say to the first element that css finds.
func (w *window) click(css chromedp.CSS) { w.l.t.Helper(); w.run(chromedp.Click(css)) }

func (w *window) fill(css chromedp.CSS, text string) {
	w.l.t.Helper()
	w.run(chromedp.SendKeys(css, text))
}

func (w *window) await(css chromedp.CSS) { w.l.t.Helper(); w.run(chromedp.WaitVisible(css)) }

// signIn signs in by the form.
func (w *window) signIn(name string) {
	w.l.t.Helper()
	w.open("/signin")
	w.fill("#name", name)
	w.fill("#password", password)
	w.click("main button")
	w.await("nav")
}

// eval asks the page.
func eval[T any](w *window, js string) T {
	w.l.t.Helper()
	v, err := chromedp.Run(w, chromedp.Evaluate[T](js))
	require.NoError(w.l.t, err)
	return v
}

// text is what somebody reads on the page.
func (w *window) text() string { return eval[string](w, `document.querySelector("main").innerText`) }

// call makes an action of a command of the browser.
func call[P, R any](cmd cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cmd, params)
		return err
	})
}

// picture puts the page as it looks into the folder PROVHUB_TEST_SCREENSHOTS, where
// that is set, for people to look at.
func (w *window) picture(name string) {
	w.l.t.Helper()
	dir := os.Getenv("PROVHUB_TEST_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(w, chromedp.FullScreenshot(100))
	require.NoError(w.l.t, err)
	require.NoError(w.l.t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600))
}

func TestAnOperationIsTriedAgainInABrowser(t *testing.T) {
	l := newLab(t)
	w := l.window(laptop)
	w.signIn("helpdesk")
	require.Contains(t, w.text(), "crm")
	w.open("/queue/list?state=parked")
	id := l.parked().ID
	row := chromedp.CSS("#row-" + id)
	w.run(chromedp.Evaluate[chromedp.Void](`window.sameDocument = true`))
	w.click(row + " button")
	w.await(row + " .op-ready")
	assert.True(t, eval[bool](w, `window.sameDocument === true`), "the row changes, the page stays")
	assert.Equal(t, "helpdesk", l.audited("operation.retry").Actor)
	assert.Equal(t, "It is tried again now.", eval[string](w, `document.querySelector("#said").textContent`), "a screen reader says so")
	assert.Equal(t, "/operations/"+id, eval[string](w, `document.activeElement.getAttribute("href")`), "the keyboard stays in the row")
	w.content("")
}

func TestAPlanIsApprovedInABrowser(t *testing.T) {
	l := newLab(t)
	plan := l.held()
	w := l.window(laptop)
	w.signIn("operator")
	w.click(chromedp.CSS(`a[href="/plans/` + plan.Hash + `"]`))
	w.fill("#why", "the site is closed, ticket 4711")
	w.click(`form[action$="/approve"] button`)
	w.await(".note")
	assert.Contains(t, w.text(), "Approved until")
	row, err := l.hub.State().Plan(t.Context(), plan.Hash)
	require.NoError(t, err)
	assert.Equal(t, store.PlanApproved, row.Status)
	assert.Equal(t, "operator", row.ApprovedBy)
	w.content("")
}

// Without JavaScript, everything can be read and pressed.
func TestWithoutJavaScript(t *testing.T) {
	l := newLab(t)
	op := l.parked()
	w := l.window(laptop)
	w.run(call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	w.signIn("operator")
	assert.Contains(t, w.text(), "wiki")
	w.open("/queue")
	w.click(chromedp.CSS(`form[action="/causes/` + op.FailsFor + `/retry"] button`))
	w.await(".note")
	assert.Contains(t, w.text(), "1 operation is tried again now")
	w.open("/connectors/crm")
	w.fill("#reason", "ticket 4712")
	w.click(`form[action="/connectors/crm/pause"] button`)
	w.await(".note")
	assert.Contains(t, w.text(), "Paused by operator: ticket 4712.")
	w.open("/plans/" + l.held().Hash)
	w.fill("#whynot", "half a file")
	w.click(`form[action$="/reject"] button`)
	w.await(".note")
	assert.Equal(t, "operator", l.audited("plan.reject").Actor)
}

// allPages are the pages of a lab.
func (l *lab) allPages() map[string]string {
	l.t.Helper()
	return map[string]string{
		"overview": "/", "connector": "/connectors/crm", "source": "/sources/hr", "queue": "/queue", "list": "/queue/list", "done": "/queue/list?state=done",
		"operation": "/operations/" + l.parked().ID, "people": "/people", "person": person("1001"), "explain": person("1001") + "/explain/crm",
		"plans": "/plans", "plan": "/plans/" + l.held().Hash, "runs": "/runs", "audit": "/audit", "problem": "/nothing",
		"findings": "/findings", "findinglist": "/findings/list", "finding": l.finding(), "alerts": "/alerts", "nodes": "/nodes", "users": "/users", "user": userPath("operator"), "account": "/account",
	}
}

// fullLab is a lab with something on every page.
func fullLab(t *testing.T) *lab {
	l := newLab(t)
	l.drift()
	l.alarm()
	now := l.hub.Now()
	require.NoError(t, l.hub.State().Seen(t.Context(), store.Node{Name: "provhub-1.berlin.example.org/4711", Version: "1.2", Address: "10.0.0.1:8484", StartedAt: now, Connectors: []string{"crm"}}))
	for _, r := range []store.Run{{Kind: "cycle", Subject: "hr"}, {Kind: "reconcile", Subject: "crm"}} {
		r.StartedAt, r.Why, r.Node = now, "asked for by operator", "provhub-1.berlin.example.org/4711"
		_, err := l.hub.State().BeginRun(t.Context(), r)
		require.NoError(t, err)
	}
	return l
}

// finding is where the page of a finding is.
func (l *lab) finding() string {
	l.t.Helper()
	row, err := l.hub.State().Finding(l.t.Context(), "wiki", identity.Person, "u-5")
	require.NoError(l.t, err)
	return findingPath(row)
}

// On a phone nothing is cut off and nothing has to be pushed sideways.
func TestPagesFitAPhone(t *testing.T) {
	l := fullLab(t)
	w := l.window(phone)
	w.open("/signin")
	w.picture("phone-signin")
	assert.LessOrEqual(t, eval[int](w, `document.documentElement.scrollWidth`), phone)
	w.signIn("admin")
	for name, path := range l.allPages() {
		w.open(path)
		w.run(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach(d => d.open = true)`))
		w.picture("phone-" + name)
		assert.LessOrEqual(t, eval[int](w, `document.documentElement.scrollWidth`), phone, name)
		wide := eval[string](w, `[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".hidden, thead")).map(e => e.outerHTML.slice(0, 80)).join("\n")`)
		assert.Empty(t, wide, name)
	}
	w.content("404")
}

// Laptop, light and dark: pictures to be looked at, and a page that can be used by
// keyboard alone.
func TestPagesOnALaptop(t *testing.T) {
	l := fullLab(t)
	w := l.window(laptop)
	w.open("/signin")
	w.picture("laptop-signin")
	assert.Equal(t, "name", eval[string](w, `document.activeElement.id`), "typing begins at once")
	w.signIn("admin")
	for name, path := range l.allPages() {
		w.open(path)
		w.picture("laptop-" + name)
		assert.Empty(t, eval[string](w, unlabelled), name)
		assert.Empty(t, eval[string](w, headless), name)
	}
	w.run(call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}))
	for _, name := range []string{"overview", "queue", "plan", "person", "findings", "alerts", "user"} {
		w.open(l.allPages()[name])
		w.picture("dark-" + name)
	}
	w.content("404")
}

// unlabelled lists fields and buttons that a screen reader has no name for.
const unlabelled = `[...document.querySelectorAll("input:not([type=hidden], [hidden]), select, button")].filter(e => !(e.labels && e.labels.length) && !e.getAttribute("aria-label") && !e.textContent.trim()).map(e => e.outerHTML).join("\n")`

// headless lists tables without a caption, and header cells that do not say of what.
const headless = `[...document.querySelectorAll("table:not(details table)")].filter(t => !t.caption).map(t => t.outerHTML.slice(0, 80)).join("\n") + [...document.querySelectorAll("th:not([scope])")].map(t => t.outerHTML).join("\n")`

func TestTheKeyboardIsEnough(t *testing.T) {
	l := newLab(t)
	w := l.window(laptop)
	w.signIn("viewer")
	w.open("/plans")
	w.run(chromedp.KeyEvent("\t"))
	assert.Equal(t, "Skip to the content", eval[string](w, `document.activeElement.textContent`))
	assert.Positive(t, eval[float64](w, `document.activeElement.getBoundingClientRect().left`), "seen while it has the focus")
	assert.Equal(t, "solid", eval[string](w, `getComputedStyle(document.activeElement).outlineStyle`))
	w.run(chromedp.KeyEvent("\r"), chromedp.KeyEvent("\t"))
	assert.Equal(t, "/plans/"+l.held().Hash, eval[string](w, `document.activeElement.getAttribute("href")`), "behind the navigation")
}

// An open page shows what changes, and keeps the focus where it is.
func TestTheOverviewRefreshesItself(t *testing.T) {
	if testing.Short() {
		t.Skip("waits ten seconds for a refresh")
	}
	l := newLab(t)
	w := l.window(laptop)
	w.signIn("viewer")
	w.run(chromedp.Focus(chromedp.CSS("#connector-wiki")))
	require.NoError(t, l.hub.As(string(signin.Operator)).Pause(t.Context(), "wiki", "holidays"))
	w.await("#live .badge.paused")
	assert.Equal(t, "connector-wiki", eval[string](w, `document.activeElement.id`))
	assert.Contains(t, w.text(), "paused by operator: holidays")
	assert.Contains(t, eval[string](w, `document.querySelector("#said").textContent`), "1 connector not sending")
	w.content("")
}
