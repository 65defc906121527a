package memory

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// endpoint plays the task metadata endpoint of the container "app". Answers are by path.
type endpoint struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]string
	asked   map[string]int
}

// What ECS sends, shortened: fields that nobody reads here are left out, some are kept to be passed over.
const (
	fargateApp = `{"DockerId":"cd18-1","Name":"app","DesiredStatus":"RUNNING","KnownStatus":"RUNNING","Limits":{"CPU":2},` +
		`"Type":"NORMAL","Networks":[{"NetworkMode":"awsvpc","IPv4Addresses":["10.0.0.108"]}],"LogDriver":"awslogs"}`
	fargateTask = `{"Cluster":"default","TaskARN":"arn:aws:ecs:us-east-1:0:task/default/cd18","KnownStatus":"RUNNING",` +
		`"Limits":{"CPU":0.25,"Memory":512},"Containers":[%s],"LaunchType":"FARGATE","EphemeralStorageMetrics":{"Utilized":208,"Reserved":20496}}`
	fargateProxy = `{"DockerId":"cd18-2","Name":"proxy","KnownStatus":"RUNNING","Limits":{"CPU":2},"Type":"NORMAL"}`
	v1Stats      = `{"read":"2020-10-02T00:51:13Z","memory_stats":{"usage":%d,"max_usage":6914048,"stats":{"cache":1,"inactive_file":7,"total_inactive_file":%d},"limit":4134825984},"networks":{"eth1":{"rx_bytes":84}}}`
	v2Stats      = `{"read":"2023-10-02T00:51:13Z","memory_stats":{"usage":%d,"stats":{"anon":1,"inactive_file":%d,"workingset_refault_file":0},"limit":18446744073709551615},"cpu_stats":{"cpu_usage":{"percpu_usage":null}}}`
)

func newEndpoint(t *testing.T, answers map[string]string) *endpoint {
	e := &endpoint{answers: answers, asked: make(map[string]int)}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.asked[r.URL.Path]++
		answer, ok := e.answers[strings.TrimPrefix(r.URL.Path, "/v4/app")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if body, broken := strings.CutPrefix(answer, "500 "); broken {
			w.WriteHeader(http.StatusInternalServerError)
			answer = body
		}
		_, _ = fmt.Fprint(w, answer)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) set(path, answer string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answers[path] = answer
}

// onECS is a room of a container whose cgroup has the given limit and 100 MiB in use.
func onECS(t *testing.T, uri, limit string) *Room {
	m := newContainer(t)
	m.group("", "memory.max", limit, "memory.current", mibs(100))
	c := m.config()
	c.MetadataURI = uri
	return New(c)
}

func stats(format string, usage, inactive int) string {
	return fmt.Sprintf(format, usage*mebi, inactive*mebi)
}

// onFargate are the answers for a task of 512 MiB, the app and a proxy that uses 80 - 30 MiB.
func onFargate(format string) map[string]string {
	return map[string]string{
		"":            fargateApp,
		"/task":       fmt.Sprintf(fargateTask, fargateApp+","+fargateProxy),
		"/task/stats": `{"cd18-1":` + stats(format, 210, 10) + `,"cd18-2":` + stats(format, 80, 30) + `}`,
	}
}

func TestMetadata_OnFargateTheTasksLimitLessItsSidecarsCounts(t *testing.T) {
	for _, format := range []string{v1Stats, v2Stats} {
		e := newEndpoint(t, onFargate(format))
		v := onECS(t, e.URL+"/v4/app", "max\n").Verdict(t.Context(), 362*mebi)
		want := "overlap: 462 MiB limit (ECS task of 512 MiB less 50 MiB of its other containers) − 100 MiB in use leaves 379584512 bytes, a second app needs 379584512 bytes"
		if v.String() != want {
			t.Errorf("%s\nnot %s", v, want)
		}
	}
}

func TestMetadata_WithoutACgroupTheEndpointTellsTheOwnUseToo(t *testing.T) {
	e := newEndpoint(t, onFargate(v2Stats))
	m := newMachine(t)
	c := m.config()
	c.MetadataURI = e.URL + "/v4/app/"
	v := New(c).Verdict(t.Context(), 1)
	if v.InUse != Known(200*mebi, "") {
		t.Errorf("in use %v: %v", v.InUse, v)
	}
	e.set("/task/stats", `{"cd18-2":`+stats(v2Stats, 80, 30)+`}`)
	if v := New(c).Verdict(t.Context(), 1); v.Overlap || v.InUse.known {
		t.Errorf("in use %v: %v", v.InUse, v)
	}
}

func TestMetadata_WithoutACgroupTheContainersLimitHasItsUseToldToo(t *testing.T) {
	e := newEndpoint(t, map[string]string{
		"":            strings.Replace(fargateApp, `{"CPU":2}`, `{"CPU":10,"Memory":512}`, 1),
		"/task":       `{"Containers":[` + fargateApp + `]}`,
		"/task/stats": `{"cd18-1":` + stats(v1Stats, 210, 10) + `}`,
	})
	c := newMachine(t).config()
	c.MetadataURI = e.URL + "/v4/app"
	if v := New(c).Verdict(t.Context(), 1); v.InUse != Known(200*mebi, "") || !v.Overlap {
		t.Error(v)
	}
}

func TestMetadata_TheContainersOwnLimitCountsAndZeroIsNone(t *testing.T) {
	own := strings.Replace(fargateApp, `{"CPU":2}`, `{"CPU":10,"Memory":%d}`, 1)
	task := `{"Containers":[` + fargateApp + `]}` // on EC2 without a limit of the task
	e := newEndpoint(t, map[string]string{"": fmt.Sprintf(own, 128), "/task": task})
	if v := onECS(t, e.URL+"/v4/app", "max\n").Verdict(t.Context(), 1); v.Limit != Known(128*mebi, "ECS container") {
		t.Error(v)
	}
	e.set("", fmt.Sprintf(own, 0))
	if v := onECS(t, e.URL+"/v4/app", "max\n").Verdict(t.Context(), 1); v.Limit.known {
		t.Error(v)
	}
	if v := onECS(t, e.URL+"/v4/app", mibs(256)).Verdict(t.Context(), 1); v.Limit != Known(256*mebi, "cgroup v2 memory.max") {
		t.Error(v)
	}
}

func TestMetadata_TheCgroupsLimitCountsWhereItLeavesLess(t *testing.T) {
	e := newEndpoint(t, onFargate(v2Stats))
	v := onECS(t, e.URL+"/v4/app", mibs(256)).Verdict(t.Context(), 1)
	if v.Limit != Known(256*mebi, "cgroup v2 memory.max") {
		t.Error(v)
	}
}

func TestMetadata_SidecarsAreAskedEachTimeAndLimitsOnce(t *testing.T) {
	e := newEndpoint(t, onFargate(v2Stats))
	r := onECS(t, e.URL+"/v4/app", "max\n")
	before := r.Verdict(t.Context(), 300*mebi)
	e.set("/task/stats", `{"cd18-1":`+stats(v2Stats, 210, 10)+`,"cd18-2":`+stats(v2Stats, 200, 0)+`}`)
	after := r.Verdict(t.Context(), 300*mebi)
	if !before.Overlap || after.Overlap {
		t.Errorf("%v, then %v", before, after)
	}
	if e.asked["/v4/app"] != 1 || e.asked["/v4/app/task/stats"] != 2 {
		t.Error(e.asked)
	}
}

func TestMetadata_WithoutLimitsItIsNotAskedAgain(t *testing.T) {
	e := newEndpoint(t, map[string]string{"": fargateApp, "/task": `{"Containers":[` + fargateApp + `]}`})
	r := onECS(t, e.URL+"/v4/app", mibs(512))
	if v := r.Verdict(t.Context(), 1); !v.Overlap {
		t.Error(v)
	}
	e.Close()
	if v := r.Verdict(t.Context(), 1); !v.Overlap {
		t.Error(v)
	}
}

func TestMetadata_ASidecarThatIsNotToldOfCountsWithItsLimitOrIsUnknown(t *testing.T) {
	sidecar := func(status, kind string, limit int) string {
		return fmt.Sprintf(`{"DockerId":"s","Name":"proxy","KnownStatus":%q,"Type":%q,"Limits":{"CPU":2,"Memory":%d}}`, status, kind, limit)
	}
	for name, test := range map[string]struct {
		sidecar, stats string
		limit          uint64 // 0: unknown
	}{
		"running, limited":      {sidecar("RUNNING", "NORMAL", 64), `{}`, 448},
		"running, null":         {sidecar("RUNNING", "NORMAL", 64), `{"s":null}`, 448},
		"running, empty":        {sidecar("RUNNING", "NORMAL", 64), `{"s":{"memory_stats":{}}}`, 448},
		"running, unlimited":    {sidecar("RUNNING", "NORMAL", 0), `{}`, 0},
		"stopped":               {sidecar("STOPPED", "NORMAL", 64), `{}`, 512},
		"the network's pause":   {sidecar("RUNNING", "CNI_PAUSE", 0), `{}`, 512},
		"told, not in the task": {fargateProxy + `,{"DockerId":"cd18-2"}`, `{"x":` + stats(v2Stats, 12, 0) + `,"cd18-2":` + stats(v2Stats, 9, 9) + `}`, 500},
	} {
		e := newEndpoint(t, map[string]string{
			"": fargateApp, "/task": fmt.Sprintf(fargateTask, fargateApp+","+test.sidecar), "/task/stats": test.stats,
		})
		v := onECS(t, e.URL+"/v4/app", "max\n").Verdict(t.Context(), 1)
		if n, ok := v.Limit.Bytes(); n != test.limit*mebi || ok != (test.limit > 0) {
			t.Errorf("%s: %v", name, v)
		}
	}
}

func TestMetadata_ABrokenEndpointIsUnknownThoughACgroupHasALimit(t *testing.T) {
	for path := range onFargate(v2Stats) {
		for name, answer := range map[string]string{
			"absent": "", "an error": "500 " + onFargate(v2Stats)[path], "no JSON": "<html>", "cut off": `{"DockerId":"cd18-1","Limits":{"Mem`, "a list": `[]`,
			"a negative limit": `{"DockerId":"cd18-1","Limits":{"Memory":-1},"cd18-1":{"memory_stats":{"usage":-1}}}`,
		} {
			answers := onFargate(v2Stats)
			if answers[path] = answer; answer == "" {
				delete(answers, path)
			}
			v := onECS(t, newEndpoint(t, answers).URL+"/v4/app", mibs(512)).Verdict(t.Context(), 1)
			if v.Overlap || v.Limit.known || !strings.Contains(v.String(), "ask ECS metadata for ${ECS_CONTAINER_METADATA_URI_V4}"+path+":") {
				t.Errorf("%s, %q: %v", name, path, v)
			}
		}
	}
	for _, uri := range []string{"http://127.0.0.1:1/v4", "://", "nowhere"} {
		if v := onECS(t, uri, mibs(512)).Verdict(t.Context(), 1); v.Overlap || v.Limit.known {
			t.Errorf("%s: %v", uri, v)
		}
	}
	e := newEndpoint(t, map[string]string{"": `{"Limits":{"Memory":5}}`, "/task": `{}`})
	if v := onECS(t, e.URL+"/v4/app", mibs(512)).Verdict(t.Context(), 1); v.Overlap || v.Limit.known {
		t.Error("nameless: ", v)
	}
}

// silent is an endpoint that takes the question and never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestMetadata_ASlowEndpointCostsASecondAndTheVerdictIsInPlace(t *testing.T) {
	m := newContainer(t)
	m.group("", "memory.max", mibs(512), "memory.current", mibs(1))
	c := m.config()
	c.MetadataURI, c.HTTPClient = "http://169.254.170.2/v4/app", &http.Client{Transport: silent{}}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		v := New(c).Verdict(t.Context(), 1)
		if took := time.Since(began); took != time.Second || v.Overlap || !strings.Contains(v.String(), "no answer within 1s") {
			t.Errorf("after %v: %v", took, v)
		}
		gone := errors.New("the caller left")
		ctx, leave := context.WithCancelCause(t.Context())
		leave(gone)
		if v := New(c).Verdict(ctx, 1); v.Overlap || !strings.Contains(v.String(), gone.Error()) {
			t.Error(v)
		}
	})
}
