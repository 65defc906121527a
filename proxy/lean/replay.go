package lean

// attempt is what is known of a request that a child did not answer.
type attempt struct {
	// Idempotent: the method may be sent again (RFC 9110, 9.2.2). Whole: nothing of the body is lost. Upgrade: a tunnel was
	// asked for.
	Idempotent, Whole, Upgrade bool
	// Sent: something may have reached the child. Used: it went over a connection that had been idle, which the
	// child may have closed just then.
	Sent, Used bool
	// Children is how many children it was sent to, this one among them: each failed, and may have died of it.
	Children int
}

// resend is what to do with a request that was not answered.
type resend uint8

const (
	// giveUp: it may have been acted upon, so it is the client's to decide.
	giveUp resend = iota
	// anew: over a new connection to the same child.
	anew
	// elsewhere: to another child, if this one turns out to have died.
	elsewhere
)

// resendOf decides it. A request of which nothing was sent may go again whatever it is; one that was sent, only if it does
// no harm to act on it twice, and never to a third child: it may be what they die of.
func resendOf(a attempt) resend {
	switch {
	case !a.Whole:
		return giveUp
	case a.Sent && (!a.Idempotent || a.Upgrade):
		return giveUp
	case a.Used:
		return anew
	case a.Sent && a.Children > 1:
		return giveUp
	}
	return elsewhere
}
