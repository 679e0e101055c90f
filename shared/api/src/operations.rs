//! Handlers as routes, with authentication, rate limits and idempotency around each of them.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    handler::Handler,
    http::{HeaderValue, Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter},
};
use jiff::Timestamp;
use kit::{
    Problem,
    http::{CorrelationId, Source},
    line,
    problem::rate_headers,
};
use store::rates::Allowance;
use utoipa::openapi::HttpMethod;

use crate::{
    body::no_query,
    context::Api,
    document::Handles,
    guards::{Admission, Asked, Device, Guard, Kind, Proven, Sent},
    idempotency,
};

/// Parts of the query that a handler reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Takes {
    /// Parameters of its own.
    pub query: bool,
    /// `limit` and `cursor`.
    pub paging: bool,
}

impl Takes {
    /// Parts that two arguments read together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            query: self.query || other.query,
            paging: self.paging || other.paging,
        }
    }
}

/// Operations of a function, as collected by [`crate::operations!`].
#[derive(Default)]
pub struct Operations {
    routes: Vec<Route>,
}

struct Route {
    path: String,
    kind: Kind,
    takes: Takes,
    methods: MethodRouter<Api>,
}

impl Operations {
    /// Adds a handler under the path and methods of its `utoipa` attribute.
    #[must_use]
    pub fn with<P, H, M, A>(mut self, handler: &H) -> Self
    where
        P: utoipa::Path,
        H: Handler<M, Api> + Handles<A>,
        M: 'static,
    {
        let methods = P::methods().iter().fold(MethodRouter::new(), |methods, method| {
            methods.on(filter(method), handler.clone())
        });
        self.routes.push(Route {
            path: P::path(),
            kind: H::Guard::KIND,
            takes: H::TAKES,
            methods,
        });
        self
    }
}

fn filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
    }
}

/// Routes of the operations. A function's additional state for its handlers is an [`axum::Extension`].
pub fn serve(operations: Operations, api: Api) -> Router {
    let mut router = Router::new();
    for Route {
        path,
        kind,
        takes,
        methods,
    } in operations.routes
    {
        let entrance = Entrance {
            api: api.clone(),
            kind,
            takes,
            path: path.as_str().into(),
        };
        router = router.route(
            &path,
            methods.route_layer(middleware::from_fn_with_state(entrance, enter)),
        );
    }
    router.with_state(api)
}

/// The layer around a handler.
#[derive(Clone)]
struct Entrance {
    api: Api,
    kind: Kind,
    takes: Takes,
    /// Path as in the route.
    path: Arc<str>,
}

async fn enter(State(entrance): State<Entrance>, request: Request, next: Next) -> Response {
    let mut answer = match entrance.admit(request, next).await {
        Ok(answer) => answer,
        Err(problem) => problem.into_response(),
    };
    // What the API says is somebody's own.
    answer
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    answer
}

impl Entrance {
    async fn admit(&self, request: Request, next: Next) -> Result<Response, Problem> {
        let env = self.api.env();
        let now = env.clock().now();
        let sent = Sent::of(request.headers());
        let proven = self.prove(&sent, now).await?;
        let allowance = proven.allowance();
        let answer = self.answer(request, next, now, sent, proven).await;
        let answer = answer.unwrap_or_else(Problem::into_response);
        Ok(match allowance {
            Some(allowance) => with_rate(answer, &allowance),
            None => answer,
        })
    }

    /// Admits an authenticated caller, and runs a request with an idempotency key at most once.
    async fn answer(
        &self,
        mut request: Request,
        next: Next,
        now: Timestamp,
        sent: Sent,
        proven: Proven,
    ) -> Result<Response, Problem> {
        let source = request.extensions().get::<Source>().and_then(|source| source.0);
        let device = Device::of(request.headers(), source);
        let extensions = request.extensions_mut();
        extensions.insert(self.takes);
        let correlation_id = extensions.get::<CorrelationId>().map(|id| id.as_str().to_owned());
        let ids = self.api.env().ids().clone();
        let run = |mut request: Request, proven, seed| {
            let correlation_id = correlation_id.unwrap_or_default();
            let asked = Asked::new(now, correlation_id, ids, seed, device, sent);
            request.extensions_mut().insert(Admission { asked, proven });
            next.run(request)
        };
        if let (Kind::Tenant(permission), Proven::Tenant(principal)) = (self.kind, &proven)
            && !principal.may(permission)
        {
            return Err(Problem::forbidden(format!(
                "The caller lacks the permission `{permission}`. Ask an administrator."
            )));
        }
        // Of everybody's, not every address is our own to write: a mail's link may come with what others added.
        if self.kind != Kind::Anyone && self.takes == Takes::default() {
            no_query(request.extensions())?;
        }
        let key = if request.method() == Method::POST {
            idempotency::key(request.headers())?
        } else {
            None
        };
        let Some(key) = key else {
            return Ok(run(request, proven, None).await);
        };
        let named = idempotency::named(&proven, &self.path, &key)?;
        let run = |request, seed| run(request, proven, Some(seed));
        idempotency::once(&self.api, &named, request, now, run).await
    }

    async fn prove(&self, sent: &Sent, now: Timestamp) -> Result<Proven, Problem> {
        let authenticator = self.api.authenticator();
        Ok(match self.kind {
            Kind::Tenant(_) => {
                let principal = authenticator.principal(sent.credentials(), now).await?;
                line::tenant(principal.scope());
                line::note("actor", principal.actor().to_string());
                Proven::Tenant(Box::new(principal))
            }
            Kind::Person => {
                let person = authenticator.signed_in(sent.credentials(), now).await?;
                line::note("actor", person.account.value.id.to_string());
                Proven::Person(Box::new(person))
            }
            Kind::Platform => {
                let admin = authenticator.platform_admin(sent.credentials(), now).await?;
                line::note("actor", admin.user().to_string());
                Proven::Platform(admin)
            }
            Kind::Anyone => Proven::Anyone,
        })
    }
}

fn with_rate(mut answer: Response, allowance: &Allowance) -> Response {
    for (name, value) in rate_headers(allowance) {
        // A limit of the handler's own that was reached says more.
        answer.headers_mut().entry(name).or_insert(value);
    }
    answer
}

/// Collects handlers: `operations()` returns their routes, `document()` their description. Each handler has a `#[utoipa::path]`,
/// and its first argument is its guard.
///
/// ```ignore
/// api::operations! { get_tenant, update_tenant, keys::create_key }
/// ```
#[macro_export]
macro_rules! operations {
    ($($($segment:ident)::+),+ $(,)?) => {
        fn operations() -> $crate::Operations {
            $crate::Operations::default()
                $(.with::<$crate::operations!(@path [] $($segment)+), _, _, _>(&$($segment)::+))+
        }

        /// Description of this function's operations.
        #[must_use]
        pub fn document() -> $crate::Document {
            $crate::Document::default()
                $(.with::<$crate::operations!(@path [] $($segment)+), _, _>(&$($segment)::+))+
        }
    };
    (@path [$($module:ident)*] $handler:ident) => {
        $crate::paste! { $($module::)* [<__path_ $handler>] }
    };
    (@path [$($module:ident)*] $next:ident $($rest:ident)+) => {
        $crate::operations!(@path [$($module)* $next] $($rest)+)
    };
}
