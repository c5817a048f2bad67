package enginetest

import (
	"context"

	"github.com/berthdev/berth"
)

// pullOptions are those that concern how the image gets there. They need a registry.
func pullOptions() []Case {
	return []Case{
		{Name: "option/policy", Do: func(t *T) {
			spec := t.Spec("true")
			spec.Image = "localhost/berth-nosuch:v1"
			_, err := t.Client().Containers.Run(t.Context(), spec, berth.RunOptions{Pull: berth.PullNever})
			t.WantError("a missing image that is never pulled", err, berth.ErrImageNotFound)
			ref := t.pushed("policy")
			spec.Image = ref
			for _, policy := range []berth.PullPolicy{berth.PullMissing, berth.PullAlways, berth.PullNewer, berth.PullNever} {
				_, err := t.Client().Containers.Run(t.Context(), spec, berth.RunOptions{Pull: policy})
				t.Check(err, "run with policy %s", policy)
			}
			spec.Image = t.registry() + "/berth/nosuch:v1"
			_, err = t.Client().Containers.Run(t.Context(), spec, berth.RunOptions{Pull: berth.PullAlways})
			t.WantError("an image that the registry does not have", err, berth.ErrImageNotFound)
			t.Gone("the failures")
		}},
		{Name: "option/auth_config", Do: func(t *T) {
			// An open registry takes any credentials; what is seen is that wrong ones do no harm and malformed ones are refused.
			ref := t.pushed("auth")
			img, err := t.Client().Images.Pull(t.Context(), ref, berth.PullOptions{Auth: &berth.RegistryAuth{Username: "u", Password: "p"}})
			t.Check(err, "pull")
			t.Contains("ID", img.ID(), "sha256:")
		}},
		{Name: "option/tls_verify", Do: func(t *T) {
			ref := t.pushed("tls")
			_, err := t.Client().Images.Pull(t.Context(), ref, berth.PullOptions{TLSVerify: new(false)})
			t.Check(err, "pull")
		}},
		{Name: "option/progress", Do: func(t *T) {
			ref := t.pushed("progress")
			t.removeImage(ref)
			var last berth.PullProgress
			calls := 0
			_, err := t.Client().Images.Pull(t.Context(), ref, berth.PullOptions{Progress: func(p berth.PullProgress) {
				if p.Current < last.Current {
					t.Errorf("progress went back from %d to %d", last.Current, p.Current)
				}
				last = p
				calls++
			}})
			t.Check(err, "pull")
			if calls == 0 {
				t.Error("no progress was reported")
			}
			calls = 0
			for p, err := range t.Client().Images.Pulling(t.Context(), ref) {
				t.Check(err, "pulling")
				last = p
				calls++
			}
		}},
		{Name: "option/all_tags", Do: func(t *T) {
			ref := t.pushed("tags")
			img, err := t.Client().Images.Get(t.Context(), ref)
			t.Check(err, "get")
			second := ref[:len(ref)-len("v1")] + "v2"
			t.Check(img.Tag(t.Context(), second), "tag")
			t.Check(t.Client().Images.Push(t.Context(), second, berth.PushOptions{TLSVerify: t.plainHTTP()}), "push")
			t.removeImage(second)
			t.removeImage(ref)
			_, err = t.Client().Images.Pull(t.Context(), ref[:len(ref)-len(":v1")], berth.PullOptions{AllTags: true, TLSVerify: t.plainHTTP()})
			t.Check(err, "pull all tags")
			ok, err := t.Client().Images.Exists(t.Context(), second)
			t.Check(err, "exists")
			Equal(t, "second tag is there", ok, true)
			t.removeImage(second)
		}},
	}
}

// registry returns the registry's address, or ends the case.
func (t *T) registry() string {
	t.Helper()
	if t.Config().Registry == "" {
		t.Fatal("the run has no registry")
	}
	return t.Config().Registry
}

// plainHTTP is TLSVerify for the suite's registry, which speaks plain HTTP: Docker has no such option and knows it from its configuration.
func (t *T) plainHTTP() *bool {
	if t.Kind() == "docker" {
		return nil
	}
	return new(false)
}

// pushed puts the suite's image into the registry under a name of its own and returns the reference.
func (t *T) pushed(repo string) string {
	t.Helper()
	ref := t.registry() + "/berth/" + repo + "-" + t.NewName() + ":v1"
	img, err := t.Client().Images.Get(t.Context(), t.Config().Image)
	t.Check(err, "get image")
	t.Check(img.Tag(t.Context(), ref), "tag")
	t.Check(t.Client().Images.Push(t.Context(), ref, berth.PushOptions{TLSVerify: t.plainHTTP()}), "push")
	t.Cleanup(func() { t.removeImage(ref) })
	return ref
}

// removeImage removes a name of an image, if it is there.
func (t *T) removeImage(ref string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ok, err := t.Client().Images.Exists(ctx, ref)
	if err == nil && ok {
		_, err = t.Client().Images.Remove(ctx, ref)
	}
	if err != nil {
		t.Errorf("remove image %s: %v", ref, err)
	}
}
