//! Handlers as routes, with authentication, rate limits and idempotency around each of them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};
use jiff::Timestamp;
use kit::http::{CorrelationId, Source, Timed, Uncompressed};
use kit::problem::rate_headers;
use kit::{Problem, line};
use store::table::rates::Allowance;

use crate::context::Api;
use crate::document::Described;
use crate::guards::{Admission, Asked, Device, Kind, Proven, Sent};
use crate::idempotency;
use crate::query::{Takes, no_query};

/// Operations of a function, as collected by [`crate::operations!`].
#[derive(Default)]
pub struct Operations {
    routes: Vec<Route>,
}

struct Route {
    path: String,
    /// Another path that leads to the same handler.
    alias: Option<String>,
    kind: Kind,
    takes_runs: bool,
    takes: Takes,
    methods: MethodRouter<Api>,
}

impl Operations {
    pub fn with<H, M, A>(mut self, method: Method, path: &str, handler: &H) -> Self
    where
        H: Handler<M, Api> + Described<A>,
        M: 'static,
    {
        // The table names methods that axum has.
        let filter = MethodFilter::try_from(method).unwrap_or(MethodFilter::GET);
        self.routes.push(Route {
            path: path.to_owned(),
            alias: None,
            kind: H::KIND,
            takes_runs: H::TAKES_RUNS,
            takes: H::TAKES,
            methods: MethodRouter::new().on(filter, handler.clone()),
        });
        self
    }

    /// Adds a path, without parameters, where some software expects the handler of another one. A repeated request is the same at both.
    pub fn with_alias<H, M, A>(self, method: Method, alias: &str, path: &str, handler: &H) -> Self
    where
        H: Handler<M, Api> + Described<A>,
        M: 'static,
    {
        let mut with = self.with(method, path, handler);
        if let Some(last) = with.routes.last_mut() {
            last.alias = Some(alias.to_owned());
        }
        with
    }
}

/// Routes of the operations. A function's additional state for its handlers is an [`axum::Extension`].
pub fn serve(operations: Operations, api: Api) -> Router {
    let mut router = Router::new();
    for Route {
        path,
        alias,
        kind,
        takes_runs,
        takes,
        methods,
    } in operations.routes
    {
        let entrance = Entrance {
            api: api.clone(),
            kind,
            takes_runs,
            takes,
            path: path.as_str().into(),
            is_alias: alias.is_some(),
        };
        router = router.route(
            alias.as_ref().unwrap_or(&path),
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
    takes_runs: bool,
    takes: Takes,
    /// Path as in the route.
    path: Arc<str>,
    /// Whether requests come by another path.
    is_alias: bool,
}

async fn enter(State(entrance): State<Entrance>, request: Request, next: Next) -> Response {
    let looks = request.method() == Method::GET;
    let mut answer = match entrance.admit(request, next).await {
        Ok(answer) => answer,
        Err(problem) => problem.into_response(),
    };
    // Such as the tokens of a log-in.
    if entrance.kind == Kind::Anyone && !looks {
        answer.extensions_mut().insert(Uncompressed);
    }
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
        let source = request.extensions().get::<Source>().and_then(|source| source.0);
        let sent = Sent::of(request.headers(), source);
        let proven = self.prove(&sent, now).await?;
        let allowance = proven.allowance();
        let answer = self.answer(request, next, now, sent, proven).await;
        let mut answer = answer.unwrap_or_else(Problem::into_response);
        // Only who has proved who they are has an allowance.
        Ok(match allowance {
            Some(allowance) => {
                answer.extensions_mut().insert(Timed);
                with_rate(answer, &allowance)
            }
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
        let device = Device::of(request.headers(), sent.address);
        let extensions = request.extensions_mut();
        extensions.insert(self.takes);
        // The audit log, and what follows, name the event that a callback answers. The log line of the request names both.
        let event = proven.run().map(|run| run.event.to_string());
        let correlation_id = event.or_else(|| extensions.get::<CorrelationId>().map(|id| id.as_str().to_owned()));
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
            idempotency::key(request.headers(), proven.run())?
        } else {
            None
        };
        let Some(key) = key else {
            return Ok(run(request, proven, None).await);
        };
        if self.is_alias {
            *request.uri_mut() = Uri::try_from(&*self.path).map_err(|_| Problem::not_found())?;
        }
        let named = idempotency::request_key(&proven, &self.path, &key)?;
        let run = |request, proven, seed| run(request, proven, Some(seed));
        idempotency::answer_once(&self.api, proven, &named, request, now, run).await
    }

    async fn prove(&self, sent: &Sent, now: Timestamp) -> Result<Proven, Problem> {
        let authenticator = self.api.authenticator();
        let proven = match self.kind {
            Kind::Tenant(_) => {
                let principal = authenticator
                    .principal(sent.credentials_for(self.takes_runs), now)
                    .await?;
                line::tenant(principal.scope());
                Proven::Tenant(Box::new(principal))
            }
            Kind::Person => Proven::Person(Box::new(authenticator.signed_in(sent.credentials(), now).await?)),
            Kind::Platform => Proven::Platform(authenticator.platform_admin(sent.credentials(), now).await?),
            Kind::Anyone => Proven::Anyone,
        };
        for (name, value) in proven.notes() {
            line::note(name, value);
        }
        Ok(proven)
    }
}

fn with_rate(mut answer: Response, allowance: &Allowance) -> Response {
    for (name, value) in rate_headers(allowance) {
        // A limit of the handler's own that was reached says more.
        answer.headers_mut().entry(name).or_insert(value);
    }
    answer
}

/// The table of a function's operations: `operations()` returns their routes, `document()` their description. Each handler's first
/// argument is its guard. What the types do not say stands in the table: the group with its description, summary and description,
/// method, path, the meaning of a success, headers of it that no type implies, further responses, and the problems that not every
/// operation answers.
///
/// ```ignore
/// api::operations! {
///     "things": "Things of a tenant." {
///         /// Update a thing
///         ///
///         /// Changes its name.
///         PATCH "/api/v1/things/{thing_id}" => update_thing, "The updated thing", 404 "It was sold", problems "sold_out";
///     }
/// }
/// ```
#[macro_export]
macro_rules! operations {
    ($($tag:literal: $group:literal { $(
        $(#[doc = $about:literal])+
        $method:ident $path:literal => $($segment:ident)::+, $success:literal
            $(, with $header:literal $meaning:literal)* $(, $status:literal $other:literal)*
            $(, problems $($problem:literal)+)?;
    )+ })+) => {
        fn operations() -> $crate::Operations {
            $crate::Operations::default()
                $($(.with($crate::Method::$method, $path, &$($segment)::+))+)+
        }

        /// Description of this function's operations.
        pub fn document() -> $crate::Value {
            $crate::Document::default()
                $($(.with(&$($segment)::+, &$crate::Row {
                    tag: ($tag, $group),
                    method: $crate::Method::$method,
                    path: $path,
                    handler: stringify!($($segment)::+),
                    about: &[$($about),+],
                    success: $success,
                    headers: &[$(($header, $meaning)),*],
                    others: &[$(($status, $other)),*],
                    problems: &[$($($problem),+)?],
                }))+)+
                .json()
        }
    };
}
