package cli

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// mistakes collects all that is wrong, so that it can be told at once.
type mistakes struct {
	settings []string // in flags and variables
	others   []string // in what they meet: ports, files, stores
}

func (m *mistakes) setting(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(m.settings, text) {
		m.settings = append(m.settings, text)
	}
}

func (m *mistakes) other(err error) {
	if err != nil {
		m.others = append(m.others, err.Error())
	}
}

func (m *mistakes) any() bool { return len(m.settings)+len(m.others) > 0 }

// tell writes them down and returns the exit code.
func (m *mistakes) tell(w io.Writer) int {
	all := slices.Concat(m.settings, m.others)
	if len(all) == 1 {
		fmt.Fprintln(w, "pitstop:", all[0])
	} else {
		fmt.Fprintf(w, "pitstop: %d mistakes:\n", len(all))
		for _, line := range all {
			fmt.Fprintln(w, "  -", line)
		}
	}
	if len(m.settings) > 0 {
		fmt.Fprintln(w, "pitstop --help tells the commands, pitstop <command> --help their flags")
		return exitSettings
	}
	return exitFailed
}

// unknownVariables notes each PITSTOP_ variable that no flag of any command reads. Those that pitstop itself gives
// to its child are known, since commands may be run from there.
func (m *mistakes) unknownVariables(model *kong.Application, env []string) {
	known := map[string]bool{"PITSTOP_COMMIT": true, "PITSTOP_RELEASE_DIR": true}
	for _, node := range model.Leaves(false) {
		for _, flag := range node.Flags {
			for _, name := range flag.Envs {
				known[name] = true
			}
		}
	}
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "PITSTOP_") && !known[name] {
			m.setting("unknown variable %s", name)
		}
	}
}

// size is a number of bytes, written as 64MiB.
type size int64

// mappers read values, and note those of the wrong form instead of stopping at the first.
func (m *mistakes) mappers() []kong.Option {
	return []kong.Option{
		kong.TypeMapper(reflect.TypeFor[time.Duration](), m.mapper("a duration, as 500ms, 30s or 5m", func(s string) (any, error) {
			d, err := time.ParseDuration(s)
			if err == nil && d < 0 {
				err = strconv.ErrRange
			}
			return d, err
		})),
		kong.TypeMapper(reflect.TypeFor[int](), m.mapper("a whole number", func(s string) (any, error) {
			n, err := strconv.Atoi(s)
			if err == nil && n < 0 {
				err = strconv.ErrRange
			}
			return n, err
		})),
		kong.TypeMapper(reflect.TypeFor[size](), m.mapper("a size, as 65536, 64KiB or 64MiB", parseSize)),
	}
}

func (m *mistakes) mapper(form string, read func(string) (any, error)) kong.MapperFunc {
	return func(ctx *kong.DecodeContext, target reflect.Value) error {
		name := both("--" + ctx.Value.Name)
		var text string
		if err := ctx.Scan.PopValueInto(form, &text); err != nil {
			m.setting("%s needs a value: %s", name, form)
			return nil
		}
		v, err := read(text)
		if err != nil {
			m.setting("%s is %q, it must be %s", name, text, form)
			return nil
		}
		target.Set(reflect.ValueOf(v))
		return nil
	}
}

// both names a flag and its variable.
func both(flag string) string {
	return flag + " (PITSTOP_" + strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(flag, "--"), "-", "_")) + ")"
}

func parseSize(s string) (any, error) {
	unit := int64(1)
	for suffix, u := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if rest, ok := strings.CutSuffix(s, suffix); ok {
			s, unit = rest, u
			break
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && (n < 0 || n > (1<<62)/unit) {
		err = strconv.ErrRange
	}
	return size(n * unit), err
}
