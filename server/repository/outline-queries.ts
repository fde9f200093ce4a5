import type { Grammar } from './languages.js';

/*
 * Tree-sitter queries for the definitions of each language. In each pattern the capture around a definition is named
 * after its kind, and `@name` is its name (`@qualified` a name with scopes, as `A::b`). Further captures: `@prototype`, a
 * declaration that inside a function is none; `@scope`, a place that gives its `@name` to what is in it without defining
 * it; `@container`, the name of what a definition belongs to, where it does not stand in it; `@lead`, what belongs to the
 * definition below it: comments, decorators, attributes; `@wrap`, a node whose beginning is the definition's that ends
 * with it. Where several patterns match a name, the first counts.
 */

const functionValue = '[(arrow_function) (function_expression) (generator_function)]';

const scriptVariables = (parent: (declaration: string) => string): string => `
${parent(`(lexical_declaration kind: "const" (variable_declarator name: (identifier) @name) @constant)`)}
${parent(`(lexical_declaration kind: "let" (variable_declarator name: (identifier) @name) @variable)`)}
${parent(`(variable_declaration (variable_declarator name: (identifier) @name) @variable)`)}
`;

const script = `
[(comment) (decorator)] @lead
(export_statement) @wrap
(function_declaration name: (identifier) @name) @function
(generator_function_declaration name: (identifier) @name) @function
(class_declaration name: (_) @name) @class
(method_definition name: (_) @name) @method
(variable_declarator name: (identifier) @name value: ${functionValue}) @function
(variable_declarator name: (identifier) @name value: (class)) @class
(pair key: (property_identifier) @name value: ${functionValue}) @method
(assignment_expression left: (member_expression property: (property_identifier) @name) right: ${functionValue}) @function
${scriptVariables((declaration) => `(program ${declaration})`)}
${scriptVariables((declaration) => `(export_statement ${declaration})`)}
`;

const javascript = `
${script}
(field_definition property: (_) @name value: ${functionValue}) @method
(field_definition property: (_) @name) @field
`;

const typescript = `
${script}
(abstract_class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @interface
(type_alias_declaration name: (_) @name) @type
(enum_declaration name: (_) @name) @enum
(enum_body name: (_) @name @field)
(enum_assignment name: (_) @name) @field
(internal_module name: (_) @name) @module
(module name: (_) @name) @module
(function_signature name: (_) @name) @function
(method_signature name: (_) @name) @method
(abstract_method_signature name: (_) @name) @method
(interface_body (property_signature name: (_) @name) @field)
(type_alias_declaration value: (object_type (property_signature name: (_) @name) @field))
(public_field_definition name: (_) @name value: ${functionValue}) @method
(public_field_definition name: (_) @name) @field
(ambient_declaration (lexical_declaration (variable_declarator name: (identifier) @name) @constant))
(ambient_declaration (variable_declaration (variable_declarator name: (identifier) @name) @variable))
`;

const pythonAssignments = (parent: (statement: string) => string): string => `
${parent(`(expression_statement (assignment left: (identifier) @name right: (lambda)) @function)`)}
(${parent(`(expression_statement (assignment left: (identifier) @name) @constant)`)} (#match? @name "^[A-Z_][A-Z0-9_]*$"))
${parent(`(expression_statement (assignment left: (identifier) @name) @variable)`)}
`;

const python = `
(comment) @lead
(decorated_definition) @wrap
(function_definition name: (identifier) @name) @function
(class_definition name: (identifier) @name) @class
(type_alias_statement left: (type [(identifier) @name (generic_type (identifier) @name)])) @type
(class_definition body: (block (expression_statement (assignment left: (identifier) @name) @field)))
${pythonAssignments((statement) => `(module ${statement})`)}
${pythonAssignments((statement) => `(module (if_statement (block ${statement})))`)}
${pythonAssignments((statement) => `(module (if_statement (else_clause (block ${statement}))))`)}
${pythonAssignments((statement) => `(module (try_statement (block ${statement})))`)}
`;

const rust = `
[(line_comment) (block_comment) (attribute_item)] @lead
(function_item name: (_) @name) @function
(function_signature_item name: (_) @name) @function
(macro_definition name: (_) @name) @function
(struct_item name: (_) @name) @class
(union_item name: (_) @name) @class
(enum_item name: (_) @name) @enum
(enum_variant name: (_) @name) @field
(field_declaration name: (_) @name) @field
(trait_item name: (_) @name) @interface
(impl_item type: [
  (type_identifier) @name
  (generic_type type: (type_identifier) @name)
  (scoped_type_identifier name: (_) @name)
  (generic_type type: (scoped_type_identifier name: (_) @name))
]) @scope
(mod_item name: (_) @name body: (_)) @module
(const_item name: (_) @name) @constant
(static_item name: (_) @name) @variable
(type_item name: (_) @name) @type
(associated_type name: (_) @name) @type
`;

const go = `
(comment) @lead
(function_declaration name: (_) @name) @function
(method_declaration
  receiver: (parameter_list (parameter_declaration type: [
    (type_identifier) @container
    (generic_type type: (_) @container)
    (pointer_type [(type_identifier) @container (generic_type type: (_) @container)])
  ]))
  name: (_) @name) @method
(type_spec name: (_) @name type: (struct_type)) @class
(type_spec name: (_) @name type: (interface_type)) @interface
(type_spec name: (_) @name) @type
(type_alias name: (_) @name) @type
(field_declaration name: (_) @name) @field
(method_elem name: (_) @name) @method
(source_file (const_declaration (const_spec name: (_) @name) @constant))
(source_file (var_declaration (var_spec name: (_) @name value: (expression_list . (func_literal) .)) @function))
(source_file (var_declaration (var_spec name: (_) @name) @variable))
(source_file (var_declaration (var_spec_list (var_spec name: (_) @name) @variable)))
`;

const java = `
[(line_comment) (block_comment)] @lead
(class_declaration name: (_) @name) @class
(record_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @interface
(annotation_type_declaration name: (_) @name) @interface
(enum_declaration name: (_) @name) @enum
(enum_constant name: (_) @name) @field
(method_declaration name: (_) @name) @method
(constructor_declaration name: (_) @name) @method
(compact_constructor_declaration name: (_) @name) @method
(annotation_type_element_declaration name: (_) @name) @method
(field_declaration declarator: (variable_declarator name: (_) @name)) @field
(constant_declaration declarator: (variable_declarator name: (_) @name)) @field
`;

/** A C declarator in itself and behind pointers and references: `f`, `*f`, `**f`, `&f`. */
const throughPointers = (declarator: string): string => `[
  ${declarator}
  (pointer_declarator declarator: ${declarator})
  (pointer_declarator declarator: (pointer_declarator declarator: ${declarator}))
  (reference_declarator ${declarator})
]`;

const cppFunction = throughPointers(`(function_declarator declarator: [
  (identifier) @name
  (field_identifier) @name
  (destructor_name) @name
  (operator_name) @name
  (qualified_identifier) @qualified
])`);
const cppVariable = throughPointers(
  `[(identifier) @name (qualified_identifier) @qualified (array_declarator declarator: (identifier) @name)]`,
);
const cppField = throughPointers(`[(field_identifier) @name (array_declarator declarator: (field_identifier) @name)]`);

const cpp = `
(comment) @lead
(template_declaration) @wrap
(preproc_function_def name: (_) @name) @function
(preproc_def name: (_) @name) @constant
(namespace_definition name: (_) @name) @module
(class_specifier name: (_) @name body: (_)) @class
(struct_specifier name: (_) @name body: (_)) @class
(union_specifier name: (_) @name body: (_)) @class
(enum_specifier name: (_) @name body: (_)) @enum
(enumerator name: (_) @name) @field
(type_definition type: [(struct_specifier) (union_specifier)] declarator: (type_identifier) @name) @class
(type_definition type: (enum_specifier) declarator: (type_identifier) @name) @enum
(type_definition declarator: ${throughPointers('(type_identifier) @name')}) @type
(type_definition declarator: (function_declarator
  declarator: (parenthesized_declarator (pointer_declarator declarator: (type_identifier) @name)))) @type
(alias_declaration name: (_) @name) @type
(concept_definition name: (_) @name) @type
(function_definition declarator: ${cppFunction}) @function
(field_declaration declarator: ${cppFunction}) @method
(declaration declarator: ${cppFunction}) @prototype
(declaration declarator: (init_declarator declarator: (identifier) @name value: (lambda_expression))) @function
(declaration (type_qualifier) declarator: (init_declarator declarator: ${cppVariable})) @constant
(declaration declarator: (init_declarator declarator: ${cppVariable})) @variable
(declaration declarator: ${cppVariable}) @variable
(field_declaration declarator: ${cppField}) @field
`;

const cSharp = `
(comment) @lead
(namespace_declaration name: (_) @name) @module
(file_scoped_namespace_declaration name: (_) @name) @module
(class_declaration name: (_) @name) @class
(struct_declaration name: (_) @name) @class
(record_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @interface
(enum_declaration name: (_) @name) @enum
(enum_member_declaration name: (_) @name) @field
(delegate_declaration name: (_) @name) @type
(method_declaration name: (_) @name) @method
(constructor_declaration name: (_) @name) @method
(destructor_declaration name: (_) @name) @method
(local_function_statement name: (_) @name) @function
(property_declaration name: (_) @name) @field
(event_declaration name: (_) @name) @field
(field_declaration (variable_declaration (variable_declarator name: (_) @name))) @field
(event_field_declaration (variable_declaration (variable_declarator name: (_) @name))) @field
`;

const ruby = `
(comment) @lead
(module name: [(constant) @name (scope_resolution name: (_) @name)]) @module
(class name: [(constant) @name (scope_resolution name: (_) @name)]) @class
(method name: (_) @name) @function
(singleton_method name: (_) @name) @function
(alias name: (_) @name) @function
(assignment left: (constant) @name right: (lambda)) @function
((assignment left: (constant) @name right: (call receiver: (constant) @factory method: (identifier) @new)) @class
  (#match? @factory "^(Struct|Class|Data)$") (#match? @new "^(new|define)$"))
(assignment left: (constant) @name) @constant
((call method: (identifier) @macro arguments: (argument_list (simple_symbol) @name)) @field
  (#match? @macro "^attr_(accessor|reader|writer)$"))
((call method: (identifier) @macro arguments: (argument_list . (simple_symbol) @name)) @method
  (#eq? @macro "define_method"))
`;

const php = `
[(comment) (attribute_list)] @lead
(namespace_definition name: (_) @name body: (_)) @module
(class_declaration name: (_) @name) @class
(trait_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @interface
(enum_declaration name: (_) @name) @enum
(enum_case name: (_) @name) @field
(method_declaration name: (_) @name) @method
(function_definition name: (_) @name) @function
(const_declaration (const_element . (name) @name)) @constant
(property_declaration (property_element name: (variable_name (name) @name))) @field
(property_promotion_parameter name: (variable_name (name) @name)) @field
(program (expression_statement (assignment_expression
  left: (variable_name (name) @name) right: [(anonymous_function) (arrow_function)]) @function))
((function_call_expression
  function: (name) @macro arguments: (arguments . (argument (string (string_content) @name)))) @constant
  (#eq? @macro "define"))
`;

const bashVariables = (parent: (assignment: string) => string): string => `
(${parent('(variable_assignment name: (variable_name) @name) @constant')} (#match? @name "^[A-Z_][A-Z0-9_]*$"))
${parent('(variable_assignment name: (variable_name) @name) @variable')}
`;

const bash = `
((comment) @lead (#not-match? @lead "^#!"))
(function_definition name: (word) @name) @function
${bashVariables((assignment) => `(program ${assignment})`)}
${bashVariables((assignment) => `(program (declaration_command ${assignment}))`)}
`;

const powershell = `
(comment) @lead
(function_statement (function_name) @name) @function
(class_statement . (simple_name) @name) @class
(enum_statement . (simple_name) @name) @enum
(class_method_definition (simple_name) @name) @method
(class_property_definition (variable) @name) @field
`;

/** The outline query of each grammar. */
export const outlineQueries: Readonly<Record<Grammar, string>> = {
  typescript,
  tsx: typescript,
  javascript,
  python,
  rust,
  go,
  java,
  cpp,
  'c-sharp': cSharp,
  ruby,
  php,
  bash,
  powershell,
};
