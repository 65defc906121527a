package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pitstop/bench/report"
)

// The markers between which a file keeps the report.
const begin, end = "<!-- begin: written by bench/reload -->\n", "<!-- end -->\n"

// markdown is the whole result as Markdown, ratios first.
func markdown(m machine, stages []*stage) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s Node %s, pm2 %s, Go %s.\n", m, m.node, m.pm2, m.golang)
	if m.Busy() {
		b.WriteString("\n**Provisional: the machine was busy with other work.** Trust the counts and the order, not the milliseconds.\n")
	}
	for _, s := range stages {
		s.ratios(&b)
	}
	for _, s := range stages {
		s.figures(&b)
	}
	b.WriteString("\n")
	return b.String()
}

func (s *stage) title() string {
	if s.startup == 0 {
		return "the app as it is"
	}
	return fmt.Sprintf("the app taking %s longer to start", s.startup)
}

// ratios compares all with the first. Counts of which the first has none stay counts.
func (s *stage) ratios(b *strings.Builder) {
	base := s.results[0]
	fmt.Fprintf(b, "\n### Ratios, %s: how many times the figure of %q\n\n", s.title(), base.name())
	report.Head(b, "", "requests lost per reload", "of them slow ones, of all slow ones", "time beyond a cold start", "until only the new code answers", "longest wait", "supervisor's memory: resident", "anonymous")
	cold := report.Median(s.cold)
	for _, r := range s.results {
		report.Row(b, r.name(), fmt.Sprintf("%.1f", r.perReload()), r.share(),
			times(r.median(first)-cold, base.median(first)-cold), times(r.median(only), base.median(only)), times(r.longest(), base.longest()),
			times(r.after.resident, base.after.resident), times(r.after.anonymous, base.after.anonymous))
	}
}

func (s *stage) figures(b *strings.Builder) {
	fmt.Fprintf(b, "\n### Figures, %s: %d connections; its cold start is %s (median)\n\n", s.title(), workers, ms(report.Median(s.cold)))
	report.Head(b, "", "reloads", "sent", "lost", "of them slow ones, of all slow ones", "call → first new answer", "… less the cold start", "call → only new", "command took",
		"longest wait", "p99.9 before the call", "p99.9 since", "supervisor, fresh: resident", "anonymous", "idle after all reloads: resident", "anonymous")
	for _, r := range s.results {
		report.Row(b, r.name(), fmt.Sprint(len(r.turns)), fmt.Sprint(r.sum(func(t turn) int { return t.sent })), fmt.Sprint(r.lost()), r.share(),
			ms(r.median(first)), ms(r.median(first)-report.Median(s.cold)), ms(r.median(only)), ms(r.median(call)), ms(r.longest()),
			ms(r.percentile(func(t turn) []time.Duration { return t.before })), ms(r.percentile(func(t turn) []time.Duration { return t.since })),
			mb(r.fresh.resident), mb(r.fresh.anonymous), mb(r.after.resident), mb(r.after.anonymous))
	}
}

func first(t turn) time.Duration { return t.first }
func only(t turn) time.Duration  { return t.only }
func call(t turn) time.Duration  { return t.call }

func (r *result) sum(of func(turn) int) (n int) {
	for _, t := range r.turns {
		n += of(t)
	}
	return n
}

func (r *result) lost() int { return r.sum(func(t turn) int { return t.lost }) }

func (r *result) perReload() float64 { return float64(r.lost()) / float64(len(r.turns)) }

// share is how many of the slow requests were killed.
func (r *result) share() string {
	return fmt.Sprintf("%d of %d", r.sum(func(t turn) int { return t.killed }), r.sum(func(t turn) int { return t.slow }))
}

func (r *result) longest() (d time.Duration) {
	for _, t := range r.turns {
		d = max(d, t.longest)
	}
	return d
}

// percentile is the 99.9th of all turns together.
func (r *result) percentile(of func(turn) []time.Duration) time.Duration {
	var all []time.Duration
	for _, t := range r.turns {
		all = append(all, of(t)...)
	}
	slices.Sort(all)
	if len(all) == 0 {
		return 0
	}
	return all[len(all)*999/1000]
}

func (r *result) median(of func(turn) time.Duration) time.Duration {
	var ds []time.Duration
	for _, t := range r.turns {
		ds = append(ds, of(t))
	}
	return report.Median(ds)
}

// times is how many times one figure is of another, which must be a real one.
func times[T ~int64](a, b T) string {
	if b <= 0 || a < 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", float64(a)/float64(b))
}

func ms(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
func mb(bytes int64) string     { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }
