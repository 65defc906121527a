package e2e

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport are the arrows of the house: what each package may import of it.
var mayImport = map[string][]string{
	"pitstop":                   {"pitstop/cli"},
	"pitstop/cli":               {"pitstop/child", "pitstop/child/logs", "pitstop/child/memory", "pitstop/control", "pitstop/control/controlpb", "pitstop/drain", "pitstop/proxy", "pitstop/release", "pitstop/supervisor"},
	"pitstop/control":           {"pitstop/control/controlpb", "pitstop/supervisor"},
	"pitstop/control/controlpb": {},
	"pitstop/supervisor":        {"pitstop/child", "pitstop/drain"},
	"pitstop/proxy":             {"pitstop/drain", "pitstop/proxy/http1"},
	"pitstop/proxy/http1":       {},
	"pitstop/child":             {"pitstop/child/preload"},
	"pitstop/child/preload":     {},
	"pitstop/child/logs":        {},
	"pitstop/child/memory":      {},
	"pitstop/drain":             {},
	"pitstop/release":           {},
	"pitstop/e2e":               {},
	"pitstop/e2e/load":          {},
	"pitstop/e2e/demo":          {"pitstop/e2e/load"},
	"pitstop/bench/reload":      {"pitstop/bench/report", "pitstop/e2e/load"},
	"pitstop/bench/report":      {},
	"pitstop/bench/proxy":       {"pitstop/bench/report", "pitstop/child/preload"},
}

// onlyDoor names the one package that may import a library.
var onlyDoor = map[string][]string{
	"google.golang.org/grpc":              {"pitstop/control", "pitstop/control/controlpb"},
	"github.com/klauspost/compress":       {"pitstop/release"},
	"github.com/alecthomas/kong":          {"pitstop/cli"},
	"golang.org/x/sync":                   {"pitstop/cli"},
	"net/http/httputil":                   {"pitstop/proxy"},
	"google.golang.org/protobuf/encoding": {"pitstop/control"},
}

func TestHouse_ArrowsPointTheRightWay(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "pitstop/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&pkg); err == io.EOF {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		allowed, known := mayImport[pkg.ImportPath]
		if !known {
			t.Errorf("%s has no place in the house: say what it may import", pkg.ImportPath)
		}
		for _, imported := range pkg.Imports {
			if strings.HasPrefix(imported, "pitstop") && !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s, which it may not", pkg.ImportPath, imported)
			}
			for library, doors := range onlyDoor {
				if strings.HasPrefix(imported, library) && !slices.Contains(doors, pkg.ImportPath) {
					t.Errorf("%s imports %s, whose door is %v", pkg.ImportPath, imported, doors)
				}
			}
		}
	}
}
