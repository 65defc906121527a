package child

import (
	"strings"
	"testing"
)

func TestWarning_SaysWhatStandsBetween(t *testing.T) {
	for command, says := range map[string]string{
		"node server.js":                           "",
		"node -r ./npm.js server.js":               "",
		"node --require npm server.js":             "",
		"/usr/local/bin/node dist/main.js --watch": "",
		"env A=b node server.js":                   "",
		"./server":                                 "",
		"deno run server.ts":                       "",
		"sh -c|exec node server.js":                "",
		"npm start":                                "npm stands between",
		"/usr/bin/npm run start":                   "npm stands between",
		"env A=b npm start":                        "npm stands between",
		"npx next start":                           "npx stands between",
		"yarn start":                               "yarn stands between",
		"pnpm start":                               "pnpm stands between",
		"node .yarn/releases/yarn-4.1.0.cjs start": "yarn stands between",
		"corepack yarn start":                      "corepack stands between",
		"node /usr/local/bin/npm start":            "npm stands between",
		"node /usr/lib/node_modules/npm/bin/npm-cli.js start": "npm-cli stands between",
		"sh -c|exec npm start":                                "npm stands between",
		"sh -c|node server.js":                                "sh stands between",
		"bash -ec|node server.js":                             "bash stands between",
		"busybox sh -c|node server.js":                        "sh stands between",
		"/bin/sh start.sh":                                    "sh stands between",
		"tini -- node server.js":                              "tini is not needed",
		"dumb-init node server.js":                            "dumb-init is not needed",
		"node --watch server.js":                              "node --watch restarts",
		"node --watch-path=src server.js":                     "node --watch restarts",
		"nodemon server.js":                                   "nodemon restarts",
		"node node_modules/.bin/nodemon server.js":            "nodemon restarts",
		"pm2-runtime server.js":                               "pm2-runtime restarts",
		"pm2 start server.js":                                 "pm2 restarts",
	} {
		words, script, hasScript := strings.Cut(command, "|")
		args := strings.Fields(words)
		if hasScript {
			args = append(args, script)
		}
		got := Warning(args)
		if (says == "") != (got == "") || !strings.Contains(got, says) {
			t.Errorf("%s: %q, want %q", command, got, says)
		}
	}
	if got := Warning(nil); got != "" {
		t.Errorf("no command: %q", got)
	}
}
