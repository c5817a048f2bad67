package podman

import (
	"time"
)

// wireInfo is the answer of GET /info.
type wireInfo struct {
	Host struct {
		Arch              string   `json:"arch"`
		OS                string   `json:"os"`
		Hostname          string   `json:"hostname"`
		Kernel            string   `json:"kernel"`
		CPUs              int      `json:"cpus"`
		MemTotal          int64    `json:"memTotal"`
		SwapTotal         int64    `json:"swapTotal"`
		CgroupManager     string   `json:"cgroupManager"`
		CgroupVersion     string   `json:"cgroupVersion"` // v1, v2
		CgroupControllers []string `json:"cgroupControllers"`
		EventLogger       string   `json:"eventLogger"`
		LogDriver         string   `json:"logDriver"`
		OCIRuntime        struct {
			Name    string `json:"name"`
			Path    string `json:"path"`
			Version string `json:"version"` // "runc version 1.1.5+ds1\ncommit: …"
		} `json:"ociRuntime"`
		Distribution struct {
			Distribution string `json:"distribution"`
			Version      string `json:"version"`
		} `json:"distribution"`
		Security struct {
			AppArmor bool `json:"apparmorEnabled"`
			Rootless bool `json:"rootless"`
			Seccomp  bool `json:"seccompEnabled"`
			SELinux  bool `json:"selinuxEnabled"`
		} `json:"security"`
	} `json:"host"`
	Store struct {
		GraphDriverName string `json:"graphDriverName"`
		GraphRoot       string `json:"graphRoot"`
		ContainerStore  struct {
			Number  int `json:"number"`
			Paused  int `json:"paused"`
			Running int `json:"running"`
			Stopped int `json:"stopped"`
		} `json:"containerStore"`
		ImageStore struct {
			Number int `json:"number"`
		} `json:"imageStore"`
	} `json:"store"`
	Plugins struct {
		Volume  []string `json:"volume"`
		Network []string `json:"network"`
		Log     []string `json:"log"`
	} `json:"plugins"`
	Version struct {
		APIVersion string `json:"APIVersion"`
		Version    string `json:"Version"`
		GoVersion  string `json:"GoVersion"`
		GitCommit  string `json:"GitCommit"`
		BuiltTime  string `json:"BuiltTime"`
		OsArch     string `json:"OsArch"`
	} `json:"version"`
}

// wireVersion is the answer of GET /version.
type wireVersion struct {
	Version       string            `json:"Version"`
	ApiVersion    string            `json:"ApiVersion"` // of the Docker-compatible half
	GitCommit     string            `json:"GitCommit"`
	GoVersion     string            `json:"GoVersion"`
	Os            string            `json:"Os"`
	Arch          string            `json:"Arch"`
	KernelVersion string            `json:"KernelVersion"`
	BuildTime     string            `json:"BuildTime"`
	Components    []wireVersionPart `json:"Components"`
}

type wireVersionPart struct {
	Name    string            `json:"Name"`
	Version string            `json:"Version"`
	Details map[string]string `json:"Details"`
}

// wireDF is the answer of GET /system/df.
type wireDF struct {
	ImagesSize int64 `json:"ImagesSize"` // 5.x
	Images     []struct {
		Repository string `json:"Repository"`
		Tag        string `json:"Tag"`
		ImageID    string `json:"ImageID"`
		Size       int64  `json:"Size"`
		SharedSize int64  `json:"SharedSize"`
		Containers int    `json:"Containers"`
	} `json:"Images"`
	Containers []struct {
		ContainerID string `json:"ContainerID"`
		RWSize      int64  `json:"RWSize"`
		Status      string `json:"Status"`
		Names       string `json:"Names"`
	} `json:"Containers"`
	Volumes []struct {
		VolumeName      string `json:"VolumeName"`
		Links           int    `json:"Links"`
		Size            int64  `json:"Size"`
		ReclaimableSize int64  `json:"ReclaimableSize"`
	} `json:"Volumes"`
}

// wireEvent is a line of GET /events.
type wireEvent struct {
	Status string `json:"status"`
	ID     string `json:"id"`
	From   string `json:"from"`
	Type   string `json:"Type"`
	Action string `json:"Action"`
	Actor  struct {
		ID         string            `json:"ID"`
		Attributes map[string]string `json:"Attributes"`
	} `json:"Actor"`
	Scope        string `json:"scope"`
	Time         int64  `json:"time"`
	TimeNano     int64  `json:"timeNano"`
	HealthStatus string `json:"HealthStatus"`
}

func (w wireEvent) at() time.Time {
	if w.TimeNano != 0 {
		return time.Unix(0, w.TimeNano)
	}
	return time.Unix(w.Time, 0)
}
