package normal

import (
	"math"
	"strconv"

	"github.com/berthdev/berth/engine"
)

// NanoCPUs is cpus times 1e9, rounded. What is no number of CPUs, or becomes 0 though it is not, is an InvalidError.
func NanoCPUs(cpus float64) (int64, error) {
	n := math.Round(cpus * 1e9)
	if math.IsNaN(n) || n < 0 || n >= math.MaxInt64 || n == 0 && cpus != 0 {
		return 0, invalidCPUs(cpus, "it is no number of CPUs")
	}
	return int64(n), nil
}

// PeriodQuota is cpus as period and quota of the CFS scheduler, in microseconds. The period is the kernel's default of
// 100 ms, and 1 s where the quota would be below the kernel's least, 1 ms. 0 CPUs are 0, 0: no limit. Less than a
// thousandth is an InvalidError.
func PeriodQuota(cpus float64) (period, quota int64, err error) {
	if _, err := NanoCPUs(cpus); err != nil || cpus == 0 {
		return 0, 0, err
	}
	for _, period := range [...]int64{100_000, 1_000_000} {
		if quota := math.Round(cpus * float64(period)); quota >= 1000 && quota < math.MaxInt64 {
			return period, int64(quota), nil
		}
	}
	return 0, 0, invalidCPUs(cpus, "want at least 0.001")
}

func invalidCPUs(cpus float64, reason string) error {
	return &engine.InvalidError{Option: "Spec.Resources.CPUs", Value: strconv.FormatFloat(cpus, 'g', -1, 64), Reason: reason}
}
