package wording_test

import (
	"fmt"

	"github.com/provhub/provhub/wording"
)

func ExampleCount() {
	for _, n := range []int{0, 1, 2} {
		fmt.Println("db.example has", wording.Count(n, "address", "addresses"))
	}
	// Output:
	// db.example has 0 addresses
	// db.example has 1 address
	// db.example has 2 addresses
}
