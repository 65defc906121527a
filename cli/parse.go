package cli

import (
	"strings"

	"github.com/alecthomas/kong"
)

// parse fills the selected command. The library stops at its first mistake, so unknown flags are taken out before, and
// values of the wrong form are noted by the mappers.
func parse(parser *kong.Kong, args []string, m *mistakes) *kong.Context {
	var node *kong.Node
	if len(args) > 0 {
		for _, n := range parser.Model.Children {
			if n.Name == args[0] {
				node = n
			}
		}
	}
	if node != nil {
		args = m.withoutUnknownFlags(parser, node, args)
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		m.setting("%s", err)
		return nil
	}
	return ctx
}

// withoutUnknownFlags returns the arguments that node knows.
func (m *mistakes) withoutUnknownFlags(parser *kong.Kong, node *kong.Node, args []string) []string {
	known := []string{args[0]}
	for i := 1; i < len(args); i++ {
		arg := args[i]
		name, _, hasValue := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		if !strings.HasPrefix(arg, "--") {
			known = append(known, arg)
			continue
		}
		flag := flagOf(node, name)
		takesNext := !hasValue && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-")
		switch {
		case flag == nil:
			// Asked alone, the library says which one may be meant.
			_, err := parser.Parse([]string{args[0], "--" + name})
			m.setting("%s", err)
			if takesNext {
				i++ // most likely its value; to complain of that too would not help
			}
		case takesNext && !flag.IsBool():
			known = append(known, arg, args[i+1])
			i++
		default:
			known = append(known, arg)
		}
	}
	return known
}

func flagOf(node *kong.Node, name string) *kong.Flag {
	for _, group := range node.AllFlags(false) {
		for _, flag := range group {
			if flag.Name == name {
				return flag
			}
		}
	}
	return nil
}
