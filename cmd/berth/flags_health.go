package main

import "github.com/berthdev/berth"

// healthFlags are about the health check.
func healthFlags() []specFlag {
	at := func(d *draft) *berth.Healthcheck { d.hasHealth = true; return &d.health }
	return []specFlag{
		{"health-cmd", "", "COMMAND", "command that tests the container: a shell's line, or a JSON array", "Healthcheck.Test", func(d *draft, s string) (err error) {
			at(d).Test, err = berth.ParseHealthTest(s)
			return err
		}},
		{"health-interval", "", "DURATION", "time between two tests", "Healthcheck.Interval", func(d *draft, s string) (err error) {
			at(d).Interval, err = parseDuration(s)
			return err
		}},
		{"health-timeout", "", "DURATION", "longest time that a test may take", "Healthcheck.Timeout", func(d *draft, s string) (err error) {
			at(d).Timeout, err = parseDuration(s)
			return err
		}},
		{"health-start-period", "", "DURATION", "time at the start in which failures do not count", "Healthcheck.StartPeriod", func(d *draft, s string) (err error) {
			at(d).StartPeriod, err = parseDuration(s)
			return err
		}},
		{"health-start-interval", "", "DURATION", "time between two tests in the start period", "Healthcheck.StartInterval", func(d *draft, s string) (err error) {
			at(d).StartInterval, err = parseDuration(s)
			return err
		}},
		{"health-retries", "", "N", "failures in a row that make it unhealthy", "Healthcheck.Retries", func(d *draft, s string) error {
			n, err := parseInt(s)
			at(d).Retries = int(n)
			return err
		}},
		{"health-on-failure", "", "ACTION", "what happens to an unhealthy container: none, kill, restart, stop (Podman)", "Healthcheck.OnFailure", func(d *draft, s string) error {
			at(d).OnFailure = s
			return nil
		}},
		{"no-healthcheck", "", "", "do without the image's health check", "", func(d *draft, s string) error {
			return toggle(func(d *draft) *bool { return &d.noHealth })(d, s)
		}},
	}
}
