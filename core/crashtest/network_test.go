package crashtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
	"github.com/stretchr/testify/require"
)

// weather is what happens to connections between a plugin and its target while it
// is bad. down: the proxy itself goes away, too.
type weather struct {
	name   string
	toxics []toxic
	down   bool
}

// toxic is one of toxiproxy's: https://github.com/Shopify/toxiproxy#toxics.
type toxic struct {
	kind, stream string
	attributes   toxiproxy.Attributes
}

const (
	toTarget = "upstream"
	toHub    = "downstream"
)

var weathers = []weather{
	{name: "connections are reset", toxics: []toxic{{"reset_peer", toHub, toxiproxy.Attributes{"timeout": 5}}}},
	{name: "connections are reset on the way to the target", toxics: []toxic{{"reset_peer", toTarget, toxiproxy.Attributes{"timeout": 5}}}},
	{name: "answers are late", toxics: []toxic{{"latency", toHub, toxiproxy.Attributes{"latency": 150, "jitter": 100}}}},
	{name: "nothing comes back", toxics: []toxic{{"timeout", toHub, toxiproxy.Attributes{"timeout": 0}}}},
	{name: "nothing arrives", toxics: []toxic{{"timeout", toTarget, toxiproxy.Attributes{"timeout": 0}}}},
	// The target acts, and its answer is lost.
	{name: "cut after the request", toxics: []toxic{{"timeout", toHub, toxiproxy.Attributes{"timeout": 60}}}},
	{name: "cut within a request", toxics: []toxic{{"limit_data", toTarget, toxiproxy.Attributes{"bytes": 3000}}}},
	{name: "cut within an answer, closed late", toxics: []toxic{
		{"limit_data", toHub, toxiproxy.Attributes{"bytes": 4000}}, {"slow_close", toHub, toxiproxy.Attributes{"delay": 100}}}},
	{name: "there and gone", down: true},
}

const (
	calm  = 40 * time.Millisecond  // at most until the weather turns,
	storm = 400 * time.Millisecond // how long the weather is bad at first,
	bad   = 60 * time.Millisecond  // how long it is bad at a time later,
	good  = 140 * time.Millisecond // and how long it is good in between,
	span  = 1500 * time.Millisecond
	// wave is how many people come in each weather; as many of the wave before are
	// changed, and a fifth of the one before that leaves.
	wave = 30
)

// A network that fails in every way, between real plugins and real servers: nobody
// gets two accounts, no disable is lost, nothing is parked, and the ledger is what
// the target holds (QUIRKS ).
func TestNetwork(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, f)
			n.people = wavesOf(0)
			n.mustSync() // whatever is true of an empty target
			for i, w := range weathers {
				n.people = wavesOf(i + 1)
				n.through(w)
				n.mustSync()
				n.check()
				if t.Failed() {
					t.Fatalf("after this weather: %s", w.name)
				}
			}
			require.NotZero(t, n.hits, "no weather reached any operation")
		})
	}
}

// wavesOf are the people after so many weathers.
func wavesOf(weathers int) (out []person) {
	for w := range weathers + 1 {
		for i := range wave {
			p := person{ID: fmt.Sprintf("%03d", w*wave+i), Status: "active"}
			p.Login, p.Title = "u"+p.ID, "Clerk"
			if weathers > w {
				p.Title = "Head"
			}
			if weathers > w+1 && i < wave/5 {
				p.Status = "left"
			}
			out = append(out, p)
		}
	}
	return out
}

// through syncs as often as there is time for in a spell of bad weather, as if an
// hour lay between two: a breaker does not spoil it. The weather turns with the
// first operation at the plugin or soon after it, so that it meets lookups and
// writes, and also a plugin that answers everything at once.
func (n *network) through(w weather) {
	n.t.Helper()
	began, failures := time.Now(), 0
	ctx, cancel := context.WithCancel(n.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if n.sent(ctx) {
			time.Sleep(rand.N(calm))
			n.change(ctx, w)
		}
	}()
	for done := false; !done && time.Since(began) < 10*span; {
		if err := n.sync(200 * time.Millisecond); err != nil {
			failures++ // such as a target that cannot be reached when the plugin starts
		}
		select {
		case <-ended:
			done = true // the spell is over
		default:
			done = n.open() == 0 // what else comes is for the next weather
		}
	}
	cancel()
	<-ended
	failed, unknown := n.attempts()
	n.t.Logf("%-48s %2d syncs failed, %3d attempts failed, %3d in doubt, %v", w.name+":", failures, failed, unknown,
		time.Since(began).Round(100*time.Millisecond))
	n.hits += failures + failed + unknown
}

// change lets the weather be bad and good in turns, for a spell or until ctx ends,
// and good then.
func (n *network) change(ctx context.Context, w weather) {
	defer n.toggle(w, false)
	worst := storm
	for began := time.Now(); time.Since(began) < span; worst = bad {
		for _, turn := range []struct {
			bad  bool
			stay time.Duration
		}{{true, worst}, {false, good}} {
			n.toggle(w, turn.bad)
			select {
			case <-ctx.Done():
				return
			case <-time.After(turn.stay):
			}
		}
	}
}

func (n *network) toggle(w weather, on bool) {
	if n.bad != on || w.down {
		n.bad = on
		set(n.t, n.proxy, w, on)
	}
}

// set lets the weather of a proxy be bad or good.
func set(t *testing.T, proxy *toxiproxy.Proxy, w weather, on bool) {
	if w.down {
		var err error
		if on {
			err = proxy.Disable()
		} else {
			err = proxy.Enable()
		}
		if err != nil {
			t.Errorf("toxiproxy: %v", err)
		}
		return
	}
	for _, x := range w.toxics {
		var err error
		if on {
			_, err = proxy.AddToxic(x.kind+"_"+x.stream, x.kind, x.stream, 1, x.attributes)
		} else {
			err = proxy.RemoveToxic(x.kind + "_" + x.stream)
		}
		if err != nil {
			t.Errorf("toxiproxy: %s: %v", x.kind, err)
		}
	}
}

// check holds target, ledger and queue against the people.
func (n *network) check() {
	n.t.Helper()
	have := map[string][]account{}
	for _, a := range n.family.accounts(n) {
		have[a.anchor] = append(have[a.anchor], a)
	}
	for _, p := range n.people {
		want := account{anchor: p.ID, title: p.Title, enabled: p.Status == "active"}
		if got := have[p.ID]; !slices.Equal(got, []account{want}) {
			n.t.Errorf("the target has for %s: %v, want %v", p.ID, got, want)
		}
		if got := n.ledger(p.ID); got != want {
			n.t.Errorf("the ledger has %v, want %v", got, want)
		}
		delete(have, p.ID)
	}
	if len(have) > 0 {
		n.t.Errorf("the target also has %v", have)
	}
}
