package report

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Head writes the first two rows of a table.
func Head(w io.Writer, cells ...string) {
	Row(w, cells...)
	Row(w, slices.Repeat([]string{"---"}, len(cells))...)
}

// Row writes one row of a table.
func Row(w io.Writer, cells ...string) {
	fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
}

// Median is the one in the middle, or half of the sum of two. There must be one.
func Median[T ~int64 | ~float64](all []T) T {
	all = slices.SortedFunc(slices.Values(all), cmp.Compare[T])
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

// Replace puts text between two lines of a file, which must be there.
func Replace(file, begin, end, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(old), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s lacks the lines %q and %q", file, begin, end)
	}
	return os.WriteFile(file, []byte(head+begin+text+end+tail), 0o644)
}
