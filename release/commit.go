package release

import (
	"fmt"
	"regexp"
)

var commitName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// CheckCommit says what is wrong with the name of a commit; nil if nothing is. Such a name is safe as a file's name.
func CheckCommit(commit string) error {
	if commitName.MatchString(commit) {
		return nil
	}
	if len(commit) > 128 {
		return fmt.Errorf("the commit's name has %d characters, at most 128 are allowed", len(commit))
	}
	return fmt.Errorf("%q cannot name a commit: it takes letters, digits, '.', '_' and '-', the first a letter or digit", commit)
}
