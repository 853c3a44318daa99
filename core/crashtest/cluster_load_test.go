package crashtest

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// load changes people all the time, in the source and by pushes, until the returned
// function is called.
func (c *cluster) load(r *rand.Rand) (stop func()) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	var done sync.WaitGroup
	pushes := make(chan person, 1)
	done.Go(func() {
		for t := time.NewTicker(100 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				t.Stop()
				close(pushes)
				return
			case <-t.C:
			}
			p := c.stir(r)
			select {
			case pushes <- p:
			default: // the one before is still under way
			}
		}
	})
	done.Go(func() {
		for p := range pushes {
			if n := c.any(); n != nil {
				_, _ = n.push(p, pushMax) // a node that was killed does not answer: the source has it too
			}
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

// stir changes some people and returns one of them.
func (c *cluster) stir(r *rand.Rand) person {
	c.mu.Lock()
	defer c.mu.Unlock()
	var p *person
	for range 4 {
		p = &c.people[r.IntN(len(c.people))]
		switch r.IntN(8) {
		case 0:
			p.Status = []string{"active", "leave", "left"}[r.IntN(3)]
		case 1, 2:
			p.Roles = nil
			for _, role := range roles {
				if r.IntN(2) == 0 {
					p.Roles = append(p.Roles, role)
				}
			}
		case 3:
			p.Manager = c.people[r.IntN(len(c.people))].ID
		default:
			p.Title = []string{"Clerk", "Head", "Chief", "Assistant", "Deputy"}[r.IntN(5)]
		}
	}
	c.source()
	return *p
}

// stirAll gives everybody a title.
func (c *cluster) stirAll(title string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.people {
		c.people[i].Title = title
	}
	c.source()
}

// any is one of the nodes; nil: there is none.
func (c *cluster) any() *node {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.nodes) == 0 {
		return nil
	}
	return c.nodes[rand.IntN(len(c.nodes))]
}
