//! The API's document, derived from the handlers' types so that it cannot contradict them.

use std::collections::BTreeMap;

use axum::{
    Json,
    body::Bytes,
    extract::{Extension, State},
    http::{HeaderMap, Method, StatusCode, Uri},
};
use kit::problem::kinds;
use serde_json::{Value, json};
use utoipa::{
    __dev::{SchemaReferences, Tags},
    PartialSchema, ToSchema,
    openapi::{
        Components, ContentBuilder, Header, HttpMethod, Info, ObjectBuilder, OneOfBuilder, OpenApi, Ref, RefOr,
        Required, Response, ResponseBuilder, Schema, Type,
        extensions::ExtensionsBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn, Paths},
        request_body::RequestBody,
        schema::{AdditionalProperties, SchemaType},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    guards::{Guard, Kind},
    operations::Takes,
};

/// An argument of a handler and its description in the document.
#[diagnostic::on_unimplemented(
    message = "a handler cannot take `{Self}`",
    note = "after the guard come the api crate's Body, Patch, Path, Query, Paging and IfMatch, axum's State and Extension, or HeaderMap"
)]
pub trait Argument {
    /// Parts of the query that it reads.
    const TAKES: Takes = Takes {
        query: false,
        paging: false,
    };

    /// Adds its description to the operation.
    fn describe(entry: &mut Entry) {
        let _ = entry;
    }
}

impl<T> Argument for State<T> {}
impl<T> Argument for Extension<T> {}
impl Argument for HeaderMap {}
impl Argument for Method {}
impl Argument for Uri {}
impl Argument for Bytes {}

/// Name and description of a response header.
pub type AnswerHeader = (&'static str, &'static str);

/// Return type of a handler.
#[diagnostic::on_unimplemented(
    message = "a handler cannot answer with `{Self}`",
    note = "use the api crate's Tagged, Created, Listed, NoContent and Once, axum's Json and Response, or a Result of them"
)]
pub trait Answer {
    /// Headers of a successful response that the type implies.
    const HEADERS: &'static [AnswerHeader] = &[];
}

impl<A: Answer, E> Answer for Result<A, E> {
    const HEADERS: &'static [AnswerHeader] = A::HEADERS;
}
impl<A: Answer> Answer for (StatusCode, A) {
    const HEADERS: &'static [AnswerHeader] = A::HEADERS;
}
impl<T> Answer for Json<T> {}
impl Answer for axum::response::Response {}
impl Answer for String {}

/// A function that can be an operation: its first argument is a guard, the others are [`Argument`]s.
#[diagnostic::on_unimplemented(
    message = "this handler cannot be an operation",
    note = "its first argument must be an api::Guard, the others api::Arguments, and its result an api::Answer"
)]
pub trait Handles<Arguments> {
    /// Type of its first argument.
    type Guard: Guard;

    /// Parts of the query that it reads.
    const TAKES: Takes;

    /// Headers of its successful responses.
    const HEADERS: &'static [AnswerHeader];

    /// Adds the descriptions of its arguments.
    fn describe(entry: &mut Entry);
}

macro_rules! handles {
    ($($argument:ident),*) => {
        impl<F, A, G, $($argument),*> Handles<(G, $($argument,)*)> for F
        where
            F: Fn(G, $($argument),*) -> A,
            A: Future<Output: Answer>,
            G: Guard,
            $($argument: Argument,)*
        {
            type Guard = G;

            const HEADERS: &'static [AnswerHeader] = <A::Output as Answer>::HEADERS;

            const TAKES: Takes = {
                let takes = Takes { query: false, paging: false };
                $(let takes = takes.and($argument::TAKES);)*
                takes
            };

            fn describe(entry: &mut Entry) {
                $($argument::describe(entry);)*
                let _ = entry;
            }
        }
    };
}

handles!();
handles!(T1);
handles!(T1, T2);
handles!(T1, T2, T3);
handles!(T1, T2, T3, T4);
handles!(T1, T2, T3, T4, T5);
handles!(T1, T2, T3, T4, T5, T6);
handles!(T1, T2, T3, T4, T5, T6, T7);

/// One operation while it is being described.
pub struct Entry {
    operation: Operation,
    schemas: Vec<(String, RefOr<Schema>)>,
    body: bool,
    query: bool,
    if_match: bool,
}

impl Entry {
    /// A reference to a type's schema, which becomes a component.
    pub fn schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = T::name().into_owned();
        self.schemas.push((name.clone(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(name).into()
    }

    /// A reference to the schema of a type's merge patch: no field is required, optional fields accept `null`, and the same holds
    /// for nested objects.
    pub fn patch_schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let mut known = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut known);
        let whole: BTreeMap<_, _> = known.iter().cloned().collect();
        let mut patches = Patches {
            whole: &whole,
            made: BTreeMap::new(),
        };
        let mut reference = Ref::from_schema_name(T::name());
        patches.point(&mut reference);
        let made = patches.made;
        // A type may be named as the patch that it is.
        self.schemas.extend(known.into_iter().skip(1));
        self.schemas.extend(made);
        reference.into()
    }

    /// Adds a parameter, unless the handler's own attribute describes it.
    pub fn parameter(&mut self, parameter: Parameter) {
        let parameters = self.operation.parameters.get_or_insert_default();
        let same = |known: &RefOr<Parameter>| match known {
            RefOr::T(known) => known.name == parameter.name && known.parameter_in == parameter.parameter_in,
            RefOr::Ref(_) => false,
        };
        if !parameters.iter().any(same) {
            parameters.push(RefOr::T(parameter));
        }
    }

    /// Adds an optional header.
    pub fn header_parameter(&mut self, name: &str, description: &str, example: &str) {
        let schema = ObjectBuilder::new().schema_type(Type::String).build();
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(schema))
            .example(Some(json!(example)));
        self.parameter(parameter.build());
    }

    pub(crate) fn takes_body(&mut self, body: RequestBody) {
        self.operation.request_body.get_or_insert(RefOr::T(body));
        self.body = true;
    }

    pub(crate) fn takes_query(&mut self) {
        self.query = true;
    }

    pub(crate) fn takes_if_match(&mut self) {
        self.if_match = true;
    }

    fn finish(&mut self, kind: Kind, path: &str, method: &HttpMethod, headers: &[AnswerHeader]) {
        for name in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            let schema = ObjectBuilder::new().schema_type(Type::String).build();
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
            let parameter = parameter.required(Required::True).schema(Some(schema));
            self.parameter(parameter.build());
        }
        let tenant = matches!(kind, Kind::Tenant(_));
        let is_post = matches!(method, HttpMethod::Post);
        if tenant {
            let description = "Tenant in which the request acts. Default: the tenant of the access token. An API key belongs to one tenant.";
            self.header_parameter("X-Tenant-ID", description, "tnt_01jcs8q3v4w5x6y7z8a9b0c1d2");
        }
        let takes_key = is_post && kind.takes_key();
        if takes_key {
            let description = "Unique value per request, of at most 128 visible ASCII characters. A repeated request with the same key returns the first response and has no further effect, for 24 hours.";
            self.header_parameter("Idempotency-Key", description, "0f8fad5b-d9cb-469f-a165-70867728950e");
        }
        let bearer = || SecurityRequirement::new("bearer", Vec::<String>::new());
        self.operation.security = Some(match kind {
            Kind::Tenant(_) => vec![bearer(), SecurityRequirement::new("api_key", Vec::<String>::new())],
            Kind::Person | Kind::Platform => vec![bearer()],
            Kind::Anyone => Vec::new(),
        });
        let permission = ExtensionsBuilder::new().add("x-permission", kind.as_str()).build();
        self.operation.extensions.get_or_insert_default().merge(permission);
        let changes = !matches!(method, HttpMethod::Get | HttpMethod::Head | HttpMethod::Options);
        let guarded = kind != Kind::Anyone;
        let happens = |error: &StandardError| match error.status {
            400 => guarded || is_post || self.body || self.query || self.if_match,
            401 => guarded,
            403 => tenant || kind == Kind::Platform,
            404 => path.contains('{'),
            409 => changes,
            412 => self.if_match,
            413 | 415 => self.body,
            422 => guarded || self.body || self.query,
            _ => true,
        };
        for error in ERRORS.iter().filter(|error| happens(error)) {
            let reference = Ref::from_response_name(error.name);
            let responses = &mut self.operation.responses.responses;
            responses.entry(error.status.to_string()).or_insert(reference.into());
        }
        let replayed = takes_key.then_some(REPLAYED);
        for (status, response) in &mut self.operation.responses.responses {
            let RefOr::T(response) = response else { continue };
            if status.starts_with(['4', '5']) && response.content.is_empty() {
                describe_problem(response);
            }
            describe_header(response, CORRELATION);
            if guarded {
                LIMITS.into_iter().for_each(|limit| describe_header(response, limit));
            }
            if status.starts_with('2') {
                headers
                    .iter()
                    .chain(&replayed)
                    .for_each(|header| describe_header(response, *header));
            }
        }
    }
}

const CORRELATION: AnswerHeader = (
    "X-Correlation-Id",
    "Correlation id, which identifies the request in the logs. The caller's own, if the request had one.",
);

const REPLAYED: AnswerHeader = (
    "Idempotency-Replayed",
    "`true` if this is the stored response of the first request with this `Idempotency-Key`.",
);

/// Headers of the caller's rate limit.
const LIMITS: [AnswerHeader; 3] = [
    ("RateLimit-Limit", "Requests allowed per period."),
    ("RateLimit-Remaining", "Requests left in this period."),
    ("RateLimit-Reset", "Seconds until the period ends."),
];

const RETRY_AFTER: AnswerHeader = ("Retry-After", "Seconds to wait before the next request.");

/// Describes the body of an error response.
fn describe_problem(response: &mut Response) {
    let schema: RefOr<Schema> = Ref::from_schema_name(ProblemOut::name()).into();
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let content_type = "application/problem+json".to_owned();
    response.content.insert(content_type, content.into());
}

/// Adds a header, unless the handler's own attribute describes it.
fn describe_header(response: &mut Response, (name, description): AnswerHeader) {
    response.headers.entry(name.to_owned()).or_insert_with(|| {
        let counts = LIMITS.iter().chain([&RETRY_AFTER]).any(|(limit, _)| *limit == name);
        let kind = if counts { Type::Integer } else { Type::String };
        let mut header = Header::new(ObjectBuilder::new().schema_type(kind).build());
        header.description = Some(description.to_owned());
        RefOr::T(header)
    });
}

/// Schemas of merge patches, derived from the schemas of the types that they change.
struct Patches<'a> {
    whole: &'a BTreeMap<String, RefOr<Schema>>,
    made: BTreeMap<String, RefOr<Schema>>,
}

impl Patches<'_> {
    /// Replaces the reference to an object by one to its patch. Anything else is replaced as a whole.
    fn point(&mut self, reference: &mut Ref) {
        let name = reference.ref_location.rsplit('/').next().unwrap_or_default().to_owned();
        let Some(RefOr::T(whole @ Schema::Object(object))) = self.whole.get(&name) else {
            return;
        };
        if object.properties.is_empty() {
            return;
        }
        let patch = format!("{}Patch", name.trim_end_matches("Patch"));
        reference.ref_location = Ref::from_schema_name(&patch).ref_location;
        if !self.made.contains_key(&patch) {
            let mut schema = whole.clone();
            // Known before its fields are looked at: one of them may be of the same kind.
            self.made.insert(patch.clone(), schema.clone().into());
            self.loosen(&mut schema);
            self.made.insert(patch, schema.into());
        }
    }

    fn loosen(&mut self, schema: &mut Schema) {
        match schema {
            Schema::Object(object) => {
                let required = std::mem::take(&mut object.required);
                for (name, field) in &mut object.properties {
                    self.loosen_part(field);
                    if !required.contains(name) {
                        or_null(field);
                    }
                }
                if let Some(AdditionalProperties::RefOr(value)) = object.additional_properties.as_deref_mut() {
                    self.loosen_part(value);
                    or_null(value);
                }
            }
            Schema::OneOf(choice) => choice.items.iter_mut().for_each(|item| self.loosen_part(item)),
            Schema::AnyOf(choice) => choice.items.iter_mut().for_each(|item| self.loosen_part(item)),
            Schema::AllOf(parts) => parts.items.iter_mut().for_each(|item| self.loosen_part(item)),
            // A list is replaced whole.
            _ => {}
        }
    }

    fn loosen_part(&mut self, part: &mut RefOr<Schema>) {
        match part {
            RefOr::Ref(reference) => self.point(reference),
            RefOr::T(schema) => self.loosen(schema),
        }
    }
}

/// The same schema, or `null`.
fn or_null(field: &mut RefOr<Schema>) {
    let null = || ObjectBuilder::new().schema_type(Type::Null);
    match field {
        RefOr::T(Schema::Object(object)) => {
            add_null(&mut object.schema_type);
            if let Some(words) = &mut object.enum_values
                && !words.contains(&Value::Null)
            {
                words.push(Value::Null);
            }
        }
        RefOr::T(Schema::Array(array)) => add_null(&mut array.schema_type),
        RefOr::T(Schema::OneOf(choice)) if choice.items.iter().any(is_null) => {}
        RefOr::T(Schema::OneOf(choice)) => choice.items.push(null().into()),
        other => *other = OneOfBuilder::new().item(other.clone()).item(null()).into(),
    }
}

fn add_null(kind: &mut SchemaType) {
    match kind {
        SchemaType::Type(Type::Null) | SchemaType::AnyValue => {}
        SchemaType::Type(one) => *kind = SchemaType::from_iter([one.clone(), Type::Null]),
        SchemaType::Array(several) if several.contains(&Type::Null) => {}
        SchemaType::Array(several) => several.push(Type::Null),
    }
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
}

// The schema of `kit::Problem`, because `kit` does not depend on utoipa.
/// An error: what is wrong and what to do about it.
#[derive(ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "urn:ringback:problem:invalid",
    "title": "Invalid fields",
    "status": 422,
    "detail": "Correct the fields that `errors` names.",
    "errors": [{"field": "name", "detail": "Expected 1 to 80 characters."}],
}))]
#[expect(dead_code, reason = "only its schema is read")]
struct ProblemOut {
    /// Kind of problem: a stable word for programs. The guide lists all of them.
    r#type: String,
    /// Title of the kind, for people.
    title: String,
    /// HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong with this request and what to do about it.
    detail: String,
    /// Wrong fields, at most 50.
    #[schema(required = false, max_items = 50)]
    errors: Vec<FieldErrorOut>,
    /// Number of further errors, if there are more than 50.
    #[schema(required = false, minimum = 1)]
    more_errors: u32,
}

/// Problem of one field.
#[derive(ToSchema)]
#[schema(as = FieldError)]
#[expect(dead_code, reason = "only its schema is read")]
struct FieldErrorOut {
    /// Path of the field, such as `lines[0].number`. Empty: the body as a whole.
    field: String,
    /// What is wrong with the field.
    detail: String,
}

struct StandardError {
    status: u16,
    name: &'static str,
    description: &'static str,
}

const fn error(status: u16, name: &'static str, description: &'static str) -> StandardError {
    StandardError {
        status,
        name,
        description,
    }
}

const ERRORS: [StandardError; 12] = [
    error(400, "BadRequest", "The request is malformed or names no tenant."),
    error(401, "Unauthorized", "The request has no valid access token or API key."),
    error(
        403,
        "Forbidden",
        "The caller lacks the permission, or is not a member of the tenant.",
    ),
    error(404, "NotFound", "The resource does not exist in the caller's tenant."),
    error(
        409,
        "Conflict",
        "The request conflicts with the current state, or the first request with this key is still running.",
    ),
    error(412, "Stale", "The resource has changed since it was read."),
    error(413, "TooLarge", "The body is larger than 1 MB."),
    error(415, "WrongContentType", "The body is not JSON."),
    error(422, "Invalid", "Fields are invalid. `errors` names them."),
    error(
        429,
        "TooManyRequests",
        "A limit is reached. `Retry-After` holds the seconds to wait.",
    ),
    error(
        500,
        "InternalError",
        "Something went wrong on our side. Report the `X-Correlation-Id`.",
    ),
    error(
        503,
        "Unavailable",
        "The service is temporarily unavailable. Send the request again.",
    ),
];

impl StandardError {
    /// The description with the problems that any operation can answer with this status.
    fn about(&self) -> String {
        let kinds = kinds::COMMON.iter().filter(|kind| kind.status == self.status);
        let words: Vec<_> = kinds.map(|kind| format!("`{}`", kind.word)).collect();
        format!("{} Problems: {}.", self.description, words.join(", "))
    }

    fn response(&self) -> Response {
        let mut response = ResponseBuilder::new().description(self.about()).build();
        describe_problem(&mut response);
        describe_header(&mut response, CORRELATION);
        if self.status == 429 {
            let limits = LIMITS.into_iter().chain([RETRY_AFTER]);
            limits.for_each(|limit| describe_header(&mut response, limit));
        }
        response
    }
}

/// Description of some operations: paths, schemas, standard responses and security schemes.
#[derive(Clone)]
pub struct Document(OpenApi);

impl Default for Document {
    fn default() -> Self {
        let mut components = Components::new();
        let mut schemas = vec![(ProblemOut::name().into_owned(), ProblemOut::schema())];
        ProblemOut::schemas(&mut schemas);
        components.schemas.extend(schemas);
        for error in &ERRORS {
            components
                .responses
                .insert(error.name.to_owned(), error.response().into());
        }
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("Access token of a person, returned by log-in."));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
        let key = ApiKeyValue::with_description("X-API-Key", "API key of a tenant, for its software.");
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(key)));
        let mut document = OpenApi::new(Info::new("", ""), Paths::new());
        document.components = Some(components);
        Self(document)
    }
}

impl Document {
    /// Adds an operation.
    #[must_use]
    pub fn with<P, H, A>(mut self, _handler: &H) -> Self
    where
        P: utoipa::Path + for<'t> Tags<'t> + SchemaReferences,
        H: Handles<A>,
    {
        let (path, methods) = (P::path(), P::methods());
        let mut entry = Entry {
            operation: P::operation(),
            schemas: Vec::new(),
            body: false,
            query: false,
            if_match: false,
        };
        P::schemas(&mut entry.schemas);
        let tags: Vec<String> = P::tags().iter().map(ToString::to_string).collect();
        if !tags.is_empty() {
            entry.operation.tags = Some(tags);
        }
        H::describe(&mut entry);
        if let Some(method) = methods.first() {
            entry.finish(H::Guard::KIND, &path, method, H::HEADERS);
        }
        let components = self.0.components.get_or_insert_default();
        components.schemas.extend(entry.schemas);
        self.0.paths.add_path_operation(&path, methods, entry.operation);
        self
    }

    /// Combines these operations with others.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0.merge_from(other.0))
    }

    /// As a `utoipa` document without title, version and servers.
    #[must_use]
    pub fn into_openapi(self) -> OpenApi {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};
    use utoipa::{ToSchema, openapi::path::Operation};

    use kit::{Problem, problem::FieldError};

    use super::{Entry, FieldErrorOut, PartialSchema, ProblemOut, RefOr, Schema};

    #[derive(ToSchema)]
    #[expect(dead_code, reason = "only its schema is read")]
    struct Shop {
        /// Must be there.
        name: String,
        /// Has a usual value.
        #[schema(required = false)]
        words: Vec<Hours>,
        /// Can do without.
        hours: Option<Hours>,
        /// Has usual values.
        #[schema(required = false)]
        limits: Limits,
        /// One that is removed is `null`.
        #[schema(required = false)]
        texts: BTreeMap<String, String>,
    }

    #[derive(ToSchema)]
    #[expect(dead_code, reason = "only its schema is read")]
    struct Hours {
        from: u8,
    }

    #[derive(ToSchema)]
    #[schema(as = LimitsPatch)]
    #[expect(dead_code, reason = "only its schema is read")]
    struct Limits {
        #[schema(required = false)]
        kind: Kind,
    }

    #[derive(ToSchema)]
    #[expect(dead_code, reason = "only its schema is read")]
    enum Kind {
        Small,
    }

    fn patch() -> BTreeMap<String, Value> {
        let mut entry = Entry {
            operation: Operation::default(),
            schemas: Vec::new(),
            body: false,
            query: false,
            if_match: false,
        };
        let reference = entry.patch_schema::<Shop>();
        assert_eq!(
            serde_json::to_value(reference).unwrap(),
            json!({"$ref": "#/components/schemas/ShopPatch"})
        );
        let schemas = entry.schemas.into_iter();
        schemas
            .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap()))
            .collect()
    }

    #[test]
    fn a_patch_needs_nothing_and_null_is_for_what_can_do_without() {
        let schemas = patch();
        let shop = &schemas["ShopPatch"];
        assert_eq!(shop.get("required"), None);
        let fields = &shop["properties"];
        assert_eq!(fields["name"]["type"], "string");
        assert_eq!(fields["words"]["type"], json!(["array", "null"]));
        assert_eq!(fields["texts"]["type"], json!(["object", "null"]));
        assert_eq!(
            fields["texts"]["additionalProperties"]["type"],
            json!(["string", "null"])
        );
        for (field, patch) in [("hours", "HoursPatch"), ("limits", "LimitsPatch")] {
            let choices = fields[field]["oneOf"].as_array().unwrap();
            let is = |wanted: &str| choices.iter().any(|choice| choice["type"] == wanted);
            let refers = |name: &str| {
                choices
                    .iter()
                    .any(|choice| choice["$ref"] == format!("#/components/schemas/{name}"))
            };
            assert!(
                choices.len() == 2 && is("null") && refers(patch),
                "{field}: {choices:?}"
            );
        }
    }

    #[test]
    fn so_it_is_with_the_objects_in_it_but_a_list_is_replaced_whole() {
        let schemas = patch();
        assert_eq!(schemas["HoursPatch"].get("required"), None);
        assert_eq!(schemas["HoursPatch"]["properties"]["from"]["type"], "integer");
        let words = &schemas["ShopPatch"]["properties"]["words"]["items"];
        assert_eq!(words["$ref"], "#/components/schemas/Hours");
        assert_eq!(schemas["Hours"]["required"], json!(["from"]));
        let kind = &schemas["LimitsPatch"]["properties"]["kind"]["oneOf"];
        assert_eq!(kind[0]["$ref"], "#/components/schemas/Kind");
    }

    #[test]
    fn document_describes_all_fields_of_a_problem() {
        let error = || FieldError {
            field: "name".to_owned(),
            detail: "Wrong.".to_owned(),
        };
        let problem = serde_json::to_value(Problem::fields((0..51).map(|_| error()).collect())).unwrap();
        let fields = |schema: RefOr<Schema>| {
            let schema = serde_json::to_value(schema).unwrap();
            schema["properties"]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(fields(ProblemOut::schema()), names(&problem));
        assert_eq!(fields(FieldErrorOut::schema()), names(&problem["errors"][0]));
    }
}
