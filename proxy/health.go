package proxy

import "net/http"

// HealthAnswer is what the health path answers: 200, or 503 with the reason. A lame duck is unhealthy, though it serves.
func (c *Config) HealthAnswer(lameDuck bool) (status int, body string) {
	switch err := c.Health(); {
	case err != nil:
		return http.StatusServiceUnavailable, err.Error() + "\n"
	case lameDuck:
		return http.StatusServiceUnavailable, "ending\n"
	}
	return http.StatusOK, "ok\n"
}
