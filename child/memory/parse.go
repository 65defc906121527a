package memory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// unlimitedV1 is where cgroup v1's limits stop to be limits. It has no word for "none" and shows the largest number of
// whole pages instead, just under 2^63 and dependent on the page's size.
const unlimitedV1 = 1 << 62

// parseBytes reads a file of one number, as the kernel writes it. "max" is v2's word for no limit; v1's huge numbers
// mean the same (cgroup-v2.rst "memory.max", mm/page_counter.c).
func parseBytes(text string) (n uint64, limited bool, err error) {
	text = strings.TrimSpace(text)
	if text == "max" {
		return 0, false, nil
	}
	n, err = strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, false, fmt.Errorf("%.40q is no number of bytes", text)
	}
	return n, n < unlimitedV1, nil
}

// parseKeyed finds one value in a flat-keyed file, such as memory.stat. The order of the keys is not promised
// (cgroup-v2.rst).
func parseKeyed(text, key string) (n uint64, ok bool) {
	for line := range strings.Lines(text) {
		if rest, found := strings.CutPrefix(line, key+" "); found {
			n, err := strconv.ParseUint(strings.TrimSpace(rest), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// readBytes is parseBytes of a file. A missing file is no limit: the root has none, nor has a group without the memory
// controller.
func readBytes(path string) (n uint64, limited bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read a memory limit: %w", err)
	}
	if n, limited, err = parseBytes(string(text)); err != nil {
		return 0, false, fmt.Errorf("%s: %w", path, err)
	}
	return n, limited, nil
}
