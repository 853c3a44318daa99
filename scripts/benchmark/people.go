package main

import (
	"bufio"
	"fmt"
	"os"
	"time"
)

// seed makes every run work on the same people.
const seed = 20240401

// people is a company, made up from the seed: the same n and round give the same
// people.
type people struct {
	n int
	// round changes the title of those in changed.
	round   int
	changed func(i int) bool // nil: nobody
	// mixed writes the rows in another order.
	mixed bool
}

const header = "EmployeeID,First name,Last name,E-mail,Department,Title,Status,Manager ID,Start,Last day,Site,Cost center\n"

var (
	givenNames  = []string{"Ada", "Björn", "Chloé", "Dmitri", "Elif", "Finn", "Grace", "Håkon", "Inés", "Jürgen", "Katarzyna", "Liam", "Mei", "Nikolaos", "Olga", "Pavel"}
	familyNames = []string{"Lindqvist", "Åkesson", "Dubois", "Sokolov", "Işık", "O'Brien", "Müller", "Østby", "García Márquez", "Weiß", "Łukaszewicz", "Smith", "Chen", "Petrova", "Novák", "Taylor"}
	departments = []string{"Sales", "Support", "Engineering", "Finance", "Research & Development", "Operations", "Logistics", "Legal"}
	titles      = []string{"Agent", "Developer", "Account Manager", "Analyst", "Engineer", "Contractor", "Clerk", "Head"}
	sites       = []string{"Stockholm", "Paris", "Berlin", "Istanbul", "Dublin", "Oslo", "Madrid", "Warsaw"}
)

// mix is SplitMix64: a number that looks random, of i.
func mix(i int) uint64 {
	x := seed + uint64(i)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// pick takes one of list by some bits of x.
func pick(list []string, x uint64, shift int) string { return list[(x>>shift)%uint64(len(list))] }

// person is what the source and the reference know of one.
type person struct{ id, given, family, email, department, title string }

func (p people) at(i int) person {
	x := mix(i)
	q := person{
		id: fmt.Sprintf("%08d", i), given: pick(givenNames, x, 0), family: pick(familyNames, x, 8),
		email: fmt.Sprintf("person.%d@acme.example", i), department: pick(departments, x, 16), title: pick(titles, x, 24),
	}
	if i%100 == 0 {
		q.department = "Board" // the hundredth part that has accounts where not everybody has
	}
	if p.changed != nil && p.changed(i) {
		q.title = fmt.Sprintf("%s grade %d", q.title, p.round)
	}
	return q
}

// step is how far apart two rows' people are. It shares no factor with n, so that
// everybody comes up once.
func (p people) step() int {
	if !p.mixed {
		return 1
	}
	step := p.n*618/1000 | 1
	for gcd(step, p.n) != 1 {
		step += 2
	}
	return step
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// write makes the file at path, dated now.
func (p people) write(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	_, _ = w.WriteString(header) // Flush tells
	step := p.step()
	for j := range p.n {
		_, _ = w.WriteString(p.row(j*step%p.n, "active") + "\n")
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// row is what the source has of person i: a value for each column of the header, none
// of which has a comma in it.
func (p people) row(i int, status string) string {
	q, x := p.at(i), mix(i)
	return fmt.Sprintf("%s,%s,%s,%s,%s,%s,%s,%08d,20%02d-%02d-15,,%s,%d", q.id, q.given, q.family, q.email, q.department, q.title, status,
		i/10, 10+x>>32%15, 1+x>>40%12, pick(sites, x, 48), x%997)
}

// put moves one file into another's place and dates it now: a source that seems
// older than the last reading of it is refused.
func put(from, to string) error {
	now := time.Now()
	if err := os.Chtimes(from, now, now); err != nil {
		return err
	}
	return os.Rename(from, to)
}
