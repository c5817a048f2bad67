package engine

import (
	"slices"
	"strings"
	"time"
)

// process checks what the container runs.
func (v *validator) process(s *Spec) {
	rootfs := s.Podman != nil && s.Podman.Rootfs != ""
	v.when(s.Image == "" && !rootfs, "Spec.Image", "", "it is missing")
	v.when(s.Image != "" && rootfs, "Spec.Image", s.Image, "it excludes Podman.Rootfs")
	if s.Platform != "" {
		_, err := ParsePlatform(s.Platform)
		v.err("Spec.Platform", s.Platform, err)
	}
	v.when(s.Name != "" && !isName(s.Name), "Spec.Name", s.Name, "want letters, digits, _ . and -, the first a letter or digit")

	for _, k := range sortedKeys(s.Env) {
		v.add(key("Spec.Env", k), "", envKeyFault(k))
		v.when(slices.Contains(s.UnsetEnv, k), key("Spec.Env", k), "", "it is in UnsetEnv, too")
	}
	for i, k := range s.UnsetEnv {
		v.add(index("Spec.UnsetEnv", i), k, envKeyFault(k))
	}
	for _, k := range sortedKeys(s.SecretEnv) {
		v.add(key("Spec.SecretEnv", k), "", envKeyFault(k))
		v.when(s.SecretEnv[k] == "", key("Spec.SecretEnv", k), "", "the secret's name is empty")
		_, both := s.Env[k]
		v.when(both, key("Spec.SecretEnv", k), "", "it is in Env, too")
	}
	v.when(s.WorkingDir != "" && !isAbsolute(s.WorkingDir), "Spec.WorkingDir", s.WorkingDir, "it is not an absolute path")
	v.filled("Spec.GroupAdd", s.GroupAdd)
	if s.Umask != "" {
		mask, err := parseMode(s.Umask)
		v.when(err != nil || mask > 0o777, "Spec.Umask", s.Umask, "want octal digits up to 0777")
	}
	if s.StopSignal != "" {
		_, _, err := ParseSignal(s.StopSignal)
		v.err("Spec.StopSignal", s.StopSignal, err)
	}
	if s.StopTimeout != nil {
		v.seconds("Spec.StopTimeout", *s.StopTimeout)
	}
	v.seconds("Spec.Timeout", s.Timeout)
	v.when(s.InitPath != "" && (s.Init == nil || !*s.Init), "Spec.InitPath", s.InitPath, "it needs Init")
	v.when(s.InitPath != "" && !isAbsolute(s.InitPath), "Spec.InitPath", s.InitPath, "it is not an absolute path")

	v.keys("Spec.Labels", s.Labels)
	v.keys("Spec.Annotations", s.Annotations)
	v.restart("Spec.RestartPolicy", s.RestartPolicy)
	restarts := s.RestartPolicy.Name != "" && s.RestartPolicy.Name != "no"
	v.when(s.AutoRemove && restarts, "Spec.AutoRemove", "", "a container that is removed when it exits cannot be restarted: it excludes RestartPolicy")
	v.keys("Spec.LogConfig.Options", s.LogConfig.Options)
}

func (v *validator) restart(option string, p RestartPolicy) {
	n := p.MaximumRetryCount
	v.when(n < 0, option+".MaximumRetryCount", n, "it is negative")
	v.when(n > 0 && p.Name != "on-failure", option+".MaximumRetryCount", n, "only on-failure has one")
}

// health checks a health check; nil is none.
func (v *validator) health(option string, h *Healthcheck) {
	if h == nil {
		return
	}
	v.add(option+".Test", strings.Join(h.Test, " "), testFault(h.Test))
	positive := func(name string, d time.Duration) {
		v.when(d < 0, option+"."+name, d, "it is negative")
	}
	positive("Interval", h.Interval)
	positive("Timeout", h.Timeout)
	positive("StartPeriod", h.StartPeriod)
	positive("StartInterval", h.StartInterval)
	v.when(h.Retries < 0, option+".Retries", h.Retries, "it is negative")
	if len(h.Test) == 1 && h.Test[0] == "NONE" {
		set := h.Interval != 0 || h.Timeout != 0 || h.StartPeriod != 0 || h.StartInterval != 0 || h.Retries != 0 ||
			h.OnFailure != "" || h.Startup != nil || h.LogDestination != "" || h.LogMaxCount != nil || h.LogMaxSize != nil
		v.when(set, option+".Test", "NONE", "a health check that is turned off has no further options")
	}
	// The API of Podman takes a number for it, so this one is Berth's own vocabulary.
	v.when(!slices.Contains([]string{"", "none", "kill", "restart", "stop"}, h.OnFailure),
		option+".OnFailure", h.OnFailure, "want none, kill, restart or stop")
	if st := h.Startup; st != nil {
		option += ".Startup"
		reason := testFault(st.Test)
		if len(st.Test) == 0 || st.Test[0] == "NONE" {
			reason = "want CMD or CMD-SHELL"
		}
		v.add(option+".Test", strings.Join(st.Test, " "), reason)
		positive("Interval", st.Interval)
		positive("Timeout", st.Timeout)
		v.when(st.Retries < 0, option+".Retries", st.Retries, "it is negative")
		v.when(st.Successes < 0, option+".Successes", st.Successes, "it is negative")
	}
}
