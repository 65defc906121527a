package memory

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// deadlineFor bounds every wait of a test.
const deadlineFor = 10 * time.Second

// parts are what the test binary plays when TEST_PART names one. Each does its work line by line of its input, answers
// with a line each, and ends with the input.
var parts = map[string]func(line string) string{
	// touches as many MiB as it is told, and keeps them
	"eater":    func(line string) string { return eat(line) },
	"parent":   playParent,
	"resident": playResident,
}

var eaten [][]byte

func eat(line string) string {
	n, _ := strconv.Atoi(line)
	piece := make([]byte, n*mebi)
	for i := 0; i < len(piece); i += 4096 {
		piece[i] = 1
	}
	eaten = append(eaten, piece)
	return "eaten"
}

func TestMain(m *testing.M) {
	part, ok := parts[os.Getenv("TEST_PART")]
	if !ok {
		os.Exit(m.Run())
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(part(lines.Text()))
	}
}

// player is the test binary as another process.
type player struct {
	*exec.Cmd
	in  interface{ Write([]byte) (int, error) }
	out *bufio.Reader
}

// play starts a part. It ends with the test, which closes its input.
func play(part string, as func(*exec.Cmd)) (*player, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TEST_PART="+part)
	cmd.Stderr = os.Stderr
	if as != nil {
		as(cmd)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &player{cmd, in, bufio.NewReader(out)}, cmd.Start()
}

func newPlayer(t *testing.T, part string, as func(*exec.Cmd)) *player {
	t.Helper()
	p, err := play(part, as)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Kill()
		_ = p.Wait()
	})
	return p
}

// tell has it do a line and returns the answer; empty when it died of it.
func (p *player) tell(line string) string {
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		return ""
	}
	answer, _ := p.out.ReadString('\n')
	return strings.TrimSpace(answer)
}

var descendants []*player

// playParent starts another process a line: "eater" in its own group, "alone eater" in one of its child's own. "score 500"
// sets the first one's adjustment.
func playParent(line string) string {
	if delta, found := strings.CutPrefix(line, "score "); found {
		n, _ := strconv.Atoi(delta)
		return fmt.Sprint(SetOOMScoreAdj(descendants[0].Process.Pid, n))
	}
	part, alone := strings.CutPrefix(line, "alone ")
	p, err := play(part, func(cmd *exec.Cmd) { ownGroup(cmd, alone) })
	if err != nil {
		return err.Error()
	}
	descendants = append(descendants, p)
	p.tell("32")
	return strconv.Itoa(p.Process.Pid)
}
