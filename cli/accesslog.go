package cli

import (
	"os"

	"pitstop/proxy"
)

// accessLog opens --access-log. The file is nil where there is nothing to close.
func (f *proxyFlags) accessLog(stdout *os.File, m *mistakes) (proxy.Observer, *os.File) {
	switch f.AccessLog {
	case "":
		return nil, nil
	case "-":
		return proxy.NewAccessLog(stdout), nil
	}
	file, err := os.OpenFile(f.AccessLog, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		m.setting("%s: %s", both("--access-log"), err)
		return nil, nil
	}
	return proxy.NewAccessLog(file), file
}
