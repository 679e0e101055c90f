//! What the API's document says of handlers: from their types, so that it cannot say something else than they do.

use axum::{
    body::Bytes,
    extract::{Extension, State},
    http::{HeaderMap, Method, Uri},
};
use serde_json::json;
use utoipa::{
    __dev::{SchemaReferences, Tags},
    PartialSchema, ToSchema,
    openapi::{
        Components, ContentBuilder, Header, HttpMethod, Info, ObjectBuilder, OpenApi, Ref, RefOr, Required, Response,
        ResponseBuilder, Schema, Type,
        extensions::ExtensionsBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn, Paths},
        request_body::RequestBody,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::{
    guards::{Guard, Kind},
    operations::Takes,
};
use crate::Problem;

/// What a handler takes, and what the document says of it.
#[diagnostic::on_unimplemented(
    message = "a handler cannot take `{Self}`",
    note = "after the guard come kit::api's Body, Patch, Path, Query, Paging and IfMatch, axum's State and Extension, or HeaderMap"
)]
pub trait Argument {
    /// What it reads of the query.
    const TAKES: Takes = Takes {
        query: false,
        paging: false,
    };

    /// Adds to the operation what the caller must know.
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

/// A function that can be an operation: its first argument is a guard, the others are [`Argument`]s.
#[diagnostic::on_unimplemented(
    message = "this handler cannot be an operation",
    note = "its first argument must be a guard of kit::api, the others must be kit::api::Arguments"
)]
pub trait Handles<Arguments> {
    /// Its first argument.
    type Guard: Guard;

    /// What it reads of the query.
    const TAKES: Takes;

    /// Adds what its arguments say.
    fn describe(entry: &mut Entry);
}

macro_rules! handles {
    ($($argument:ident),*) => {
        impl<F, A, G, $($argument),*> Handles<(G, $($argument,)*)> for F
        where
            F: Fn(G, $($argument),*) -> A,
            G: Guard,
            $($argument: Argument,)*
        {
            type Guard = G;

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

/// One operation while it is described.
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

    /// A reference to what a merge patch of a type may hold: its fields, none of them required.
    pub fn patch_schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        T::schemas(&mut self.schemas);
        let name = format!("{}Patch", T::name());
        let mut schema = T::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.required.clear();
        }
        self.schemas.push((name.clone(), schema));
        Ref::from_schema_name(name).into()
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

    pub(super) fn takes_body(&mut self, body: RequestBody) {
        self.operation.request_body.get_or_insert(RefOr::T(body));
        self.body = true;
    }

    pub(super) fn takes_query(&mut self) {
        self.query = true;
    }

    pub(super) fn takes_if_match(&mut self) {
        self.if_match = true;
    }

    fn finish(&mut self, kind: Kind, path: &str, method: &HttpMethod) {
        for name in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            let schema = ObjectBuilder::new().schema_type(Type::String).build();
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
            let parameter = parameter.required(Required::True).schema(Some(schema));
            self.parameter(parameter.build());
        }
        let tenant = matches!(kind, Kind::Tenant(_));
        let is_post = matches!(method, HttpMethod::Post);
        if tenant {
            let description = "Which of the caller's tenants is meant; left out: the one that the token means. A key is of one tenant.";
            self.header_parameter("X-Tenant-ID", description, "tnt_01jcs8q3v4w5x6y7z8a9b0c1d2");
        }
        if tenant && is_post {
            let description = "A new word for each request, at most 128 visible ASCII characters. A request that is sent again with its key gets the first answer and has no further effect; kept for 24 hours.";
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
            400 => guarded || self.body || self.query || self.if_match,
            401 => guarded,
            403 => tenant || kind == Kind::Platform,
            404 => path.contains('{'),
            409 => changes,
            412 => self.if_match,
            413 | 415 => self.body,
            422 => self.body || self.query || (tenant && is_post),
            _ => true,
        };
        for error in ERRORS.iter().filter(|error| happens(error)) {
            let reference = Ref::from_response_name(error.name);
            let responses = &mut self.operation.responses.responses;
            responses.entry(error.status.to_string()).or_insert(reference.into());
        }
    }
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
    error(400, "BadRequest", "The request cannot be read, or it names no tenant."),
    error(401, "Unauthorized", "No access token or API key that is valid now."),
    error(403, "Forbidden", "The caller may not do this, or not in this tenant."),
    error(404, "NotFound", "There is no such thing in the caller's tenant."),
    error(
        409,
        "Conflict",
        "It does not fit what is there now, or the first request with this key still runs.",
    ),
    error(412, "Stale", "It has changed since it was read."),
    error(413, "TooLarge", "The body is larger than 1 MB."),
    error(415, "WrongContentType", "The body is of another type than JSON."),
    error(422, "Invalid", "Fields are wrong: `errors` names them."),
    error(
        429,
        "TooManyRequests",
        "A limit is reached; `Retry-After` says for how many seconds.",
    ),
    error(
        500,
        "InternalError",
        "Something is wrong on our side; report the `X-Correlation-Id`.",
    ),
    error(503, "Unavailable", "It could not be done just now; send it again."),
];

impl StandardError {
    fn response(&self) -> Response {
        let schema: RefOr<Schema> = Ref::from_schema_name(Problem::name()).into();
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let mut response = ResponseBuilder::new()
            .description(self.description)
            .content("application/problem+json", content);
        if self.status == 429 {
            for (name, description) in [
                ("Retry-After", "Seconds until the limit begins anew."),
                ("RateLimit-Limit", "How often within the limit's span."),
                ("RateLimit-Remaining", "How often still."),
                ("RateLimit-Reset", "Seconds until the limit begins anew."),
            ] {
                let mut header = Header::new(ObjectBuilder::new().schema_type(Type::Integer).build());
                header.description = Some(description.to_owned());
                response = response.header(name, header);
            }
        }
        response.build()
    }
}

/// What the API's document says of some operations: paths, schemas, standard responses and security schemes.
#[derive(Clone)]
pub struct Document(OpenApi);

impl Default for Document {
    fn default() -> Self {
        let mut components = Components::new();
        let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
        Problem::schemas(&mut schemas);
        components.schemas.extend(schemas);
        for error in &ERRORS {
            components
                .responses
                .insert(error.name.to_owned(), error.response().into());
        }
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("An access token of a person, as log-in gives it."));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
        let key = ApiKeyValue::with_description("X-API-Key", "A tenant's key, for its software.");
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
            entry.finish(H::Guard::KIND, &path, method);
        }
        let components = self.0.components.get_or_insert_default();
        components.schemas.extend(entry.schemas);
        self.0.paths.add_path_operation(&path, methods, entry.operation);
        self
    }

    /// These operations and those.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0.merge_from(other.0))
    }

    /// As `utoipa` keeps it; title, version and servers are still to be set.
    #[must_use]
    pub fn into_openapi(self) -> OpenApi {
        self.0
    }
}
