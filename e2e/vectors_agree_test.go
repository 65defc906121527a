package e2e

import "testing"

// The reader that judges is judged: by hand it was said what is to become of each vector.
func TestMeaning_AgreesWithTheVectors(t *testing.T) {
	counts := map[verdict]int{}
	for _, v := range vectors() {
		got := verdictOf(readMeaning([]byte(v.raw), ""))
		counts[got]++
		if v.want != "" && got != v.want {
			m := readMeaning([]byte(v.raw), "")
			t.Errorf("%.300q\nis to %s; read as %s: %+v", v.raw, v.want, got, m)
		}
	}
	t.Logf("vectors by verdict: %v", counts)
}

// verdictOf is that of the first request.
func verdictOf(m meaning) verdict {
	switch {
	case len(m.whole) == 0:
		return refuse
	case m.whole[0].choice != "":
		return either
	}
	return pass
}
