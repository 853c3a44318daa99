package wording

import "fmt"

// Count returns n and its noun: "1 person", "3 people", "0 people".
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
