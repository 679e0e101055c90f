//! The pages of a binary without the console: those that links in mails lead to, which send a link's token when the person presses the
//! button, and one that says how to build the console.

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;

use crate::{HOME, HTML, LINKED, text};

const LINK_PAGE: &str = include_str!("../page/link.html");
const LINK_STYLE: &str = include_str!("../page/link.css");
const LINK_SCRIPT: &str = include_str!("../page/link.js");
const UNBUILT: &str = include_str!("../page/unbuilt.html");

pub(crate) fn routes() -> Router {
    let pages = Router::new()
        .route(HOME, get(unbuilt))
        .route("/app/", get(unbuilt))
        .route("/app/{*path}", get(unbuilt))
        .route("/app/link.css", get(style))
        .route("/app/link.js", get(script));
    LINKED
        .into_iter()
        .fold(pages, |pages, path| pages.route(path, get(link)))
}

async fn link(sent: HeaderMap) -> Response {
    text(&sent, HTML, LINK_PAGE)
}

async fn style(sent: HeaderMap) -> Response {
    text(&sent, "text/css; charset=utf-8", LINK_STYLE)
}

async fn script(sent: HeaderMap) -> Response {
    text(&sent, "text/javascript; charset=utf-8", LINK_SCRIPT)
}

/// Not found, for whoever asks for a file or watches the console.
async fn unbuilt() -> Response {
    let mut answer = text(&HeaderMap::new(), HTML, UNBUILT);
    *answer.status_mut() = StatusCode::NOT_FOUND;
    answer
}
