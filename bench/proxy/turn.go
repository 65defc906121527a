package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// turn is one measurement.
type turn struct {
	load
	proxy, app time.Duration // processor time of one request
	others     float64       // share of all processors that was used for something else
}

// turn measures once. If nothing was answered at all that is an error, and there are no figures.
func (p *play) turn(ctx context.Context, r *running, s scene, dir string, seconds int) (t turn, err error) {
	before, err := r.used()
	if err != nil {
		return t, err
	}
	if t.load, err = p.generate(ctx, dir, r.addr, s, seconds); err != nil {
		return t, fmt.Errorf("%s, %s: %w", r.name, s.name(), err)
	}
	after, err := r.used()
	if err != nil {
		return t, err
	}
	if t.requests == 0 {
		t.errors++
		return t, nil
	}
	n := time.Duration(t.requests)
	proxy, app := after.proxy-before.proxy, after.app-before.app
	t.proxy, t.app = proxy/n, app/n
	ours := proxy + app + t.cpu
	t.others = max(0, float64(after.busy-before.busy-ours)/float64(after.all-before.all))
	return t, nil
}

// used is processor time since ever: of a contender's processes, and of the whole machine.
type used struct{ proxy, app, busy, all time.Duration }

func (r *running) used() (u used, err error) {
	var err1, err2 error
	u.proxy, err1 = cpuTime(r.proxyPIDs)
	u.app, err2 = cpuTime(r.appPIDs)
	if err := errors.Join(err1, err2); err != nil {
		return u, fmt.Errorf("%s or its app has ended: %w", r.name, err)
	}
	u.busy, u.all, err = machineTime()
	return u, err
}
