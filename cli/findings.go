package cli

import (
	"encoding/json"
	"fmt"
	"io"
)

// level is how much a finding matters.
type level string

const (
	fine    level = "ok"
	warning level = "warning"
	failure level = "error"
)

// finding is one thing that doctor has looked at.
type finding struct {
	Level level  `json:"level"`
	Check string `json:"check"`
	Text  string `json:"text"`
}

type findings []finding

func (fs *findings) ok(check, format string, args ...any)   { fs.add(fine, check, format, args) }
func (fs *findings) warn(check, format string, args ...any) { fs.add(warning, check, format, args) }
func (fs *findings) bad(check, format string, args ...any)  { fs.add(failure, check, format, args) }

func (fs *findings) add(l level, check, format string, args []any) {
	*fs = append(*fs, finding{l, check, fmt.Sprintf(format, args...)})
}

// failed says whether anything is an error.
func (fs findings) failed() bool {
	for _, f := range fs {
		if f.Level == failure {
			return true
		}
	}
	return false
}

func (fs findings) write(w io.Writer, output string) {
	if output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		_ = enc.Encode(fs)
		return
	}
	for _, f := range fs {
		fmt.Fprintf(w, "%-8s %-8s %s\n", f.Level, f.Check, f.Text)
	}
}
