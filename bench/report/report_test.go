package report

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReplace_TouchesOnlyWhatIsBetweenTheMarkers(t *testing.T) {
	const begin, end = "<!-- begin -->\n", "<!-- end -->\n"
	file := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(file, []byte("before\n"+begin+"old\n"+end+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Replace(file, begin, end, "new\n"); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(file); string(got) != "before\n"+begin+"new\n"+end+"after\n" {
		t.Errorf("the file is now:\n%s", got)
	}
	if err := os.WriteFile(file, []byte("no markers\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Replace(file, begin, end, "new\n"); err == nil {
		t.Error("a file without markers was taken")
	}
}

func TestMedian_OfEvenAndOdd(t *testing.T) {
	if got := Median([]int64{9, 1, 5}); got != 5 {
		t.Errorf("median of three: %d", got)
	}
	if got := Median([]float64{8, 2, 4, 6}); got != 5 {
		t.Errorf("median of four: %f", got)
	}
}
