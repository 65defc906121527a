package cli

import (
	"crypto/tls"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// serverTLS is the TLS of --tls-cert and --tls-key, nil without them.
func (f *proxyFlags) serverTLS(log hclog.Logger, m *mistakes) *tls.Config {
	if f.TLSCert == "" || f.TLSKey == "" {
		return nil
	}
	c := &certificate{files: [2]string{f.TLSCert, f.TLSKey}, log: log}
	if err := c.load(); err != nil {
		m.setting("--tls-cert and --tls-key: %s", err)
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}

// lookEvery is how often the certificate's files are looked at, at most.
const lookEvery = time.Second

// certificate is a pair of files that are read again when they have changed, as they do where certificates are renewed.
type certificate struct {
	files [2]string
	log   hclog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	seen   [2]os.FileInfo // what was read, or tried to be
	looked time.Time
}

// get implements tls.Config.GetCertificate. Files that cannot be used leave the pair as it was: the log says so, once.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < lookEvery || !c.changed() {
		return c.pair, nil
	}
	if err := c.load(); err != nil {
		c.log.Error("the new certificate cannot be used: going on with the old one", "cert", c.files[0], "key", c.files[1], "err", err)
	} else {
		c.log.Info("certificate read again", "cert", c.files[0], "until", c.pair.Leaf.NotAfter)
	}
	return c.pair, nil
}

// changed says whether the files are others than those that were read last.
func (c *certificate) changed() bool {
	c.looked = time.Now()
	for i, file := range c.files {
		now, err := os.Stat(file)
		was := c.seen[i]
		switch {
		case err != nil && was == nil: // gone, as it was
		case err != nil || was == nil:
			return true
		case !os.SameFile(now, was) || !now.ModTime().Equal(was.ModTime()) || now.Size() != was.Size():
			return true
		}
	}
	return false
}

func (c *certificate) load() error {
	c.looked = time.Now()
	for i, file := range c.files {
		c.seen[i] = nil
		if info, err := os.Stat(file); err == nil { // before the reading, so that a later change is seen
			c.seen[i] = info
		}
	}
	pair, err := tls.LoadX509KeyPair(c.files[0], c.files[1])
	if err == nil {
		c.pair = &pair
	}
	return err
}
