// Package control is the gRPC door of one instance, and the client of it.
//
//   - A call that is answered OK has done what it says; every error names what to do about it.
//   - A caller that leaves ends its waiting, never the reload.
package control

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/reflection"

	"pitstop/control/controlpb"
	"pitstop/supervisor"
)

// Instance is what the door opens to; *supervisor.Supervisor is one.
type Instance interface {
	Reload(context.Context, supervisor.Request) (supervisor.Outcome, error)
	Status() supervisor.Status
	Health() error
}

// Door serves pitstop.v1.Control, with reflection and grpc.health.v1.
type Door struct {
	controlpb.UnimplementedControlServer
	instance Instance
	version  string
	check    func(commit string) error
	log      hclog.Logger
	server   *grpc.Server
	health   *health.Server
}

// healthPoll is how often the health service looks at the instance.
const healthPoll = 200 * time.Millisecond

// NewDoor makes a door. check says what is wrong with the name of a commit.
func NewDoor(instance Instance, check func(string) error, version string, log hclog.Logger) *Door {
	d := &Door{instance: instance, version: version, check: check, log: log, server: grpc.NewServer(), health: health.NewServer()}
	controlpb.RegisterControlServer(d.server, d)
	grpc_health_v1.RegisterHealthServer(d.server, d.health)
	reflection.Register(d.server)
	return d
}

// Serve answers calls on ln until ctx ends; calls that wait then are cut off.
func (d *Door) Serve(ctx context.Context, ln net.Listener) error {
	stop := context.AfterFunc(ctx, d.server.Stop)
	defer stop()
	go d.watchHealth(ctx)
	if err := d.server.Serve(ln); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

func (d *Door) watchHealth(ctx context.Context) {
	tick := time.NewTicker(healthPoll)
	defer tick.Stop()
	for {
		status := grpc_health_v1.HealthCheckResponse_SERVING
		if d.instance.Health() != nil {
			status = grpc_health_v1.HealthCheckResponse_NOT_SERVING
		}
		d.health.SetServingStatus("", status)
		d.health.SetServingStatus(controlpb.Control_ServiceDesc.ServiceName, status)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Reload implements pitstop.v1.Control.
func (d *Door) Reload(ctx context.Context, r *controlpb.ReloadRequest) (*controlpb.ReloadResponse, error) {
	from := "unknown"
	if p, ok := peer.FromContext(ctx); ok {
		from = p.Addr.String()
	}
	log := d.log.With("commit", r.GetCommit(), "from", from)
	log.Info("reload asked", "force", r.GetForce(), "no_launch", r.GetNoLaunch(), "relaunch", r.GetRelaunch())
	if err := d.check(r.GetCommit()); err != nil {
		return nil, invalid(err)
	}
	outcome, err := d.instance.Reload(ctx, supervisor.Request{
		Commit: r.GetCommit(), Force: r.GetForce(), NoLaunch: r.GetNoLaunch(), Relaunch: r.GetRelaunch(),
	})
	if err != nil {
		log.Warn("reload not done", "err", err)
		return nil, statusOf(err)
	}
	log.Info("reload done", "previous", outcome.Previous, "unchanged", outcome.Unchanged, "staged", outcome.Staged,
		"took", outcome.Took.Round(time.Millisecond).String())
	return reloadResponse(outcome), nil
}

// Status implements pitstop.v1.Control.
func (d *Door) Status(context.Context, *controlpb.StatusRequest) (*controlpb.StatusResponse, error) {
	resp := statusResponse(d.instance.Status(), time.Now())
	resp.Version = d.version
	if err := d.instance.Health(); err != nil {
		resp.Unhealthy = err.Error()
	}
	return resp, nil
}
