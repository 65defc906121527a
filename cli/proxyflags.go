package cli

import (
	"time"

	"pitstop/proxy"
)

// proxyFlags are the flags of run that say how requests are carried.
type proxyFlags struct {
	Engine      string `default:"lean" help:"lean: pitstop's own HTTP/1.1; std: Go's net/http, to fall back on."`
	AppProtocol string `default:"http1" help:"What the app speaks: http1, or h2c for a gRPC app."`
	TLSCert     string `placeholder:"FILE" help:"Certificate chain (PEM) for TLS on --listen, beside clear text; read again when it changes."`
	TLSKey      string `placeholder:"FILE" help:"Key of --tls-cert (PEM)."`
	Forwarded   string `default:"auto" help:"X-Forwarded-For and its kin: auto (pass them from private peers, else set), set, append or off."`
	AccessLog   string `placeholder:"FILE" help:"A JSON line for every request to this file; - for stdout (default: none). It is appended to (O_APPEND), so rotation may copy and truncate it."`

	MaxHead         size          `default:"64KiB" help:"Largest head of a request; past it 431."`
	MaxTarget       size          `default:"16KiB" help:"Largest request target; past it 414."`
	MaxFields       int           `default:"200" help:"Most fields of a request; past it 431."`
	MaxBody         size          `default:"0" help:"Largest body of a request; past it 413; 0: any."`
	HeadTimeout     time.Duration `default:"60s" help:"A client has this long for a head; past it 408."`
	BodyTimeout     time.Duration `default:"60s" help:"A client may leave a body standing still this long; past it 408, or a cut connection."`
	ResponseTimeout time.Duration `default:"0s" help:"The app has this long to begin its response; past it 504; 0: as long as it takes."`
	IdleTimeout     time.Duration `default:"75s" help:"An idle client connection lives this long; the load balancer's own idle timeout must be shorter."`
}

func (f *proxyFlags) limits() proxy.Limits {
	return proxy.Limits{
		Head: int(f.MaxHead), Target: int(f.MaxTarget), Fields: f.MaxFields, Body: int64(f.MaxBody),
		HeadTime: f.HeadTimeout, BodyTime: f.BodyTimeout, ResponseTime: f.ResponseTimeout,
	}
}

// proxySettings checks them and notes every mistake.
func (f *proxyFlags) proxySettings(m *mistakes) {
	m.oneOf("--engine", f.Engine, "lean", "std")
	m.oneOf("--app-protocol", f.AppProtocol, "http1", "h2c")
	m.oneOf("--forwarded", f.Forwarded, "auto", "set", "append", "off")
	if (f.TLSCert == "") != (f.TLSKey == "") {
		m.setting("--tls-cert and --tls-key belong together: give both or none")
	}
	if f.MaxHead < 1<<10 || f.MaxHead > 16<<20 {
		m.setting("%s is %d, it must be from 1KiB to 16MiB", both("--max-head"), f.MaxHead)
	}
	if f.MaxTarget < 1 || f.MaxTarget > f.MaxHead {
		m.setting("%s is %d, it must be at least 1 and at most --max-head", both("--max-target"), f.MaxTarget)
	}
	if f.MaxFields < 1 {
		m.setting("%s must be at least 1", both("--max-fields"))
	}
	for flag, d := range map[string]time.Duration{"--head-timeout": f.HeadTimeout, "--body-timeout": f.BodyTimeout, "--idle-timeout": f.IdleTimeout} {
		if d <= 0 {
			m.setting("%s must be more than nothing: clients that stand still would stay for ever", both(flag))
		}
	}
}

// newEngine makes the engine of --engine.
func (f *proxyFlags) newEngine(cfg proxy.Config) engine {
	if f.Engine == "std" || cfg.AppProtocol == proxy.H2C {
		return proxy.NewStd(cfg)
	}
	return proxy.NewLean(cfg)
}
