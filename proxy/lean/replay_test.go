package lean

import "testing"

func TestResendOf_IsATable(t *testing.T) {
	for name, tc := range map[string]struct {
		attempt attempt
		want    resend
	}{
		"body no longer in memory":                  {attempt{Idempotent: true, Used: true}, giveUp},
		"nothing sent over a used connection":       {attempt{Whole: true, Used: true}, anew},
		"nothing sent, child refuses":               {attempt{Whole: true}, elsewhere},
		"nothing sent to a third child":             {attempt{Whole: true, Children: 2}, elsewhere},
		"POST sent over a used connection":          {attempt{Whole: true, Used: true, Sent: true, Children: 1}, giveUp},
		"POST sent over a new connection":           {attempt{Whole: true, Sent: true, Children: 1}, giveUp},
		"GET sent over a used connection":           {attempt{Whole: true, Idempotent: true, Used: true, Sent: true, Children: 1}, anew},
		"GET sent over a new connection":            {attempt{Whole: true, Idempotent: true, Sent: true, Children: 1}, elsewhere},
		"GET sent to a second child that failed":    {attempt{Whole: true, Idempotent: true, Sent: true, Children: 2}, giveUp},
		"GET, second child, over a used connection": {attempt{Whole: true, Idempotent: true, Used: true, Sent: true, Children: 2}, anew},
		"upgrade sent":                              {attempt{Whole: true, Idempotent: true, Upgrade: true, Sent: true, Children: 1}, giveUp},
		"upgrade not sent":                          {attempt{Whole: true, Idempotent: true, Upgrade: true}, elsewhere},
	} {
		if got := resendOf(tc.attempt); got != tc.want {
			t.Errorf("%s: %d, want %d", name, got, tc.want)
		}
	}
}
