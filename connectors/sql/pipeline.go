package sql

import "context"

func (t *Target) canPipeline(*database, *model) bool { return false }
func (t *Target) pipelined(context.Context, *database, *model, []*unit, []int, []answers) []int {
	return nil
}
