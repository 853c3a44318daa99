package connectortest

import (
	"context"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/memory"
)

// partial is a memory target some of whose methods are replaced.
type partial struct {
	*memory.Target
	create  func(context.Context, connector.Create) (connector.Ref, error)
	update  func(context.Context, connector.Update) error
	enable  func(context.Context, connector.SetEnabled) error
	remove  func(context.Context, connector.Delete) error
	grant   func(context.Context, connector.Grant) error
	setCred func(context.Context, connector.SetCredential) error
	rename  func(context.Context, connector.Rename) (connector.Ref, error)
	get     func(context.Context, connector.Ref, []string) (connector.Object, error)
	list    func(context.Context, connector.ListQuery, func(connector.Object) error) (connector.ListEnd, error)
	changes func(context.Context, connector.ChangesQuery, func(connector.TargetChange) error) ([]byte, bool, error)
	steps   func(context.Context) ([]connector.CheckStep, string)
	schema  func(context.Context) (connector.Schema, error)
	rotate  func(context.Context, map[string]connector.Secret) error
}

// either returns f, and g when there is no f.
func either[F any](f, g F, isNil bool) F {
	if isNil {
		return g
	}
	return f
}

func (p *partial) Create(ctx context.Context, c connector.Create) (connector.Ref, error) {
	return either(p.create, p.Target.Create, p.create == nil)(ctx, c)
}
func (p *partial) Update(ctx context.Context, u connector.Update) error {
	return either(p.update, p.Target.Update, p.update == nil)(ctx, u)
}
func (p *partial) SetEnabled(ctx context.Context, s connector.SetEnabled) error {
	return either(p.enable, p.Target.SetEnabled, p.enable == nil)(ctx, s)
}
func (p *partial) Delete(ctx context.Context, d connector.Delete) error {
	return either(p.remove, p.Target.Delete, p.remove == nil)(ctx, d)
}
func (p *partial) Grant(ctx context.Context, g connector.Grant) error {
	return either(p.grant, p.Target.Grant, p.grant == nil)(ctx, g)
}
func (p *partial) SetCredential(ctx context.Context, s connector.SetCredential) error {
	return either(p.setCred, p.Target.SetCredential, p.setCred == nil)(ctx, s)
}
func (p *partial) Rename(ctx context.Context, r connector.Rename) (connector.Ref, error) {
	return either(p.rename, p.Target.Rename, p.rename == nil)(ctx, r)
}
func (p *partial) Get(ctx context.Context, ref connector.Ref, as []string) (connector.Object, error) {
	return either(p.get, p.Target.Get, p.get == nil)(ctx, ref, as)
}
func (p *partial) List(ctx context.Context, q connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
	return either(p.list, p.Target.List, p.list == nil)(ctx, q, yield)
}
func (p *partial) Changes(ctx context.Context, q connector.ChangesQuery, yield func(connector.TargetChange) error) ([]byte, bool, error) {
	return either(p.changes, p.Target.Changes, p.changes == nil)(ctx, q, yield)
}
func (p *partial) CheckSteps(ctx context.Context) ([]connector.CheckStep, string) {
	return either(p.steps, p.Target.CheckSteps, p.steps == nil)(ctx)
}
func (p *partial) Schema(ctx context.Context) (connector.Schema, error) {
	return either(p.schema, p.Target.Schema, p.schema == nil)(ctx)
}
func (p *partial) RotateSecrets(ctx context.Context, s map[string]connector.Secret) error {
	return either(p.rotate, p.Target.RotateSecrets, p.rotate == nil)(ctx, s)
}
