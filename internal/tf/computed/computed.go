// Package computed makes the attributes that a data source only tells and that
// need nothing but a description. It belongs to the layer of the framework.
package computed

import "github.com/hashicorp/terraform-plugin-framework/datasource/schema"

// Text is a text with a description in Markdown.
func Text(description string) schema.StringAttribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}

// Number is a whole number with a description in Markdown, which tells its
// unit.
func Number(description string) schema.Int64Attribute {
	return schema.Int64Attribute{Computed: true, MarkdownDescription: description}
}

// Flag is true or false, with a description in Markdown of when it is true.
func Flag(description string) schema.BoolAttribute {
	return schema.BoolAttribute{Computed: true, MarkdownDescription: description}
}
