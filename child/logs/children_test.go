package logs

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const longLine = 100 << 20

// children are the parts that the test binary plays when TEST_CHILD names one.
var children = map[string]func(){
	"say": func() { fmt.Print(os.Getenv("TEXT")) },
	"burst": func() {
		tail := " " + strings.Repeat(filler, max(1, number("REPEAT"))) + "\n"
		w := bufio.NewWriterSize(os.Stdout, 64<<10)
		for i := range number("COUNT") {
			_, _ = w.WriteString(strconv.Itoa(10_000_000 + i))
			_, _ = w.WriteString(tail)
		}
		_ = w.Flush()
	},
	"long line": func() {
		block := bytes.Repeat([]byte("0123456789abcdef"), 4096)
		for range longLine / len(block) {
			_, _ = os.Stdout.Write(block)
		}
		fmt.Println()
	},
	"one mebibyte": func() { _, _ = os.Stdout.Write(mebibyte()) },
	"garbage":      func() { _, _ = os.Stdout.Write(garbage()) },
	"both streams": func() {
		for i := range number("COUNT") {
			fmt.Println("out", i)
			fmt.Fprintln(os.Stderr, "err", i)
		}
	},
	// ends and leaves one behind that holds its output
	"parent": func() {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "TEST_CHILD="+os.Getenv("THEN"))
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		_ = cmd.Start()
		fmt.Println(cmd.Process.Pid)
		fmt.Print("last words")
	},
	"holder":    func() { time.Sleep(time.Hour) },
	"chatterer": func() { chatter() },
	// tells what it has got from pitstop
	"inspect": func() {
		for fd := range 3 {
			flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
			fmt.Println("non-blocking", fd, flags&unix.O_NONBLOCK != 0)
		}
		for _, pipe := range pipesOpen() {
			fmt.Println("has", pipe)
		}
	},
}

const filler = "GET /orders/4711?expand=lines 200 12 ms user-agent=curl/7.88.1 host=shop.example"

func TestMain(m *testing.M) {
	if name := os.Getenv("TEST_CHILD"); name != "" {
		children[name]()
		os.Exit(0)
	}
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // under -race each played child would take a second to end
	os.Exit(m.Run())
}

// pipesOpen lists this process's pipes, except its standard streams.
func pipesOpen() (pipes []string) {
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		target, err := os.Readlink(link)
		if fd, _ := strconv.Atoi(filepath.Base(link)); err == nil && fd > 2 && strings.HasPrefix(target, "pipe:") {
			pipes = append(pipes, target)
		}
	}
	return pipes
}

func number(name string) int {
	n, _ := strconv.Atoi(os.Getenv(name))
	return n
}

func chatter() {
	for {
		fmt.Println(filler)
	}
}

func mebibyte() []byte { return bytes.Repeat(append(bytes.Repeat([]byte("x"), 1023), '\n'), 1<<10) }

func garbage() []byte {
	b := make([]byte, 1<<20)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}
