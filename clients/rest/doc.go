// Package rest calls JSON APIs the way a connector should: one attempt, and a
// failure that says what it means for the hub.
//
// The hard part is not the call but what a failure leaves behind. A connection
// that was refused took nothing with it; one that broke while the answer was
// awaited may have. The client watches whether the request left, and answers
// accordingly:
//
//	before the request left    failed: nothing took effect
//	after it, on a read        failed
//	after it, on a write       unknown: the hub looks before it goes on
//	401 403 409 412 429 …      failed, with the code that the status stands for
//	500 502 504 on a write     unknown: a gateway may have given up too early
package rest
