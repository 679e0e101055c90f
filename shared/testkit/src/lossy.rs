//! Access to AWS that loses answers: the request is executed, but the answer never arrives, and the SDK repeats it. It can also
//! let another writer interfere, refuse requests, or never answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;

use crate::Aws;
use crate::asked::{head, serve_connections};

/// Treatment of a request.
enum Fate {
    /// Its answer is lost, and then this happens.
    Lost(Box<dyn FnOnce() + Send>),
    /// It is not executed: another writer was faster.
    InTheWay,
    /// It is not executed: a transaction is writing the row.
    InTransaction,
    /// It is not executed: the table throttles it.
    Throttled,
    /// It is not executed: the caller lacks the permission.
    Forbidden,
    /// This happens before it is executed.
    Late(Box<dyn FnOnce() + Send>),
}

const ANY: &str = "*";

/// An operation, and what happens to its next request.
type Losing = (String, Fate);

/// Requests that get no answer, or a refusal.
#[derive(Default)]
struct Hanging {
    /// All, or those of this operation.
    which: Option<Option<String>>,
    /// Connections that stay open until the end of the test.
    waiting: Vec<TcpStream>,
    denied: Option<String>,
}

/// A loopback port in front of the emulator.
pub struct Lossy {
    url: String,
    losing: Arc<Mutex<Vec<Losing>>>,
    hanging: Arc<Mutex<Hanging>>,
}

impl Lossy {
    /// In front of this test's AWS.
    pub fn before(aws: &Aws) -> Self {
        let endpoint = aws.env().config().text("AWS_ENDPOINT_URL");
        let upstream = endpoint.expect("the emulator").trim_start_matches("http://").to_owned();
        let losing = Arc::new(Mutex::new(Vec::new()));
        let hanging = Arc::new(Mutex::new(Hanging::default()));
        let shared = (Arc::clone(&losing), Arc::clone(&hanging));
        let url = serve_connections(move |stream| pass_on(&stream, &upstream, &shared.0, &shared.1));
        Self { url, losing, hanging }
    }

    /// Its URL, for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Loses the answer to the next request of this operation, such as `PutItem`.
    pub fn lose(&self, operation: &str) {
        self.lose_then(operation, || ());
    }

    /// Loses the answers to all attempts of the SDK at the next request of this operation.
    pub fn lose_all(&self, operation: &str) {
        for _attempt in 0..3 {
            self.lose(operation);
        }
    }

    /// Loses the answer to the next request of this operation, and does this before the SDK asks again.
    pub fn lose_then(&self, operation: &str, then: impl FnOnce() + Send + 'static) {
        lock(&self.losing).push((operation.to_owned(), Fate::Lost(Box::new(then))));
    }

    /// Refuses the next request of this operation, `PutItem` or `TransactWriteItems`, as the table does when another writer was
    /// faster.
    pub fn be_in_the_way_of(&self, operation: &str) {
        lock(&self.losing).push((operation.to_owned(), Fate::InTheWay));
    }

    /// Refuses the next request of this operation, such as `UpdateItem`, as the table does while a transaction writes its row.
    pub fn be_writing_during(&self, operation: &str) {
        lock(&self.losing).push((operation.to_owned(), Fate::InTransaction));
    }

    /// Throttles the next requests of this operation, as the table does.
    pub fn throttle(&self, operation: &str, times: usize) {
        let throttled = || (operation.to_owned(), Fate::Throttled);
        lock(&self.losing).extend(std::iter::repeat_with(throttled).take(times));
    }

    /// Refuses the next request of this operation, as S3 does for `GetObject` of a missing object if the role may not list.
    pub fn forbid(&self, operation: &str) {
        lock(&self.losing).push((operation.to_owned(), Fate::Forbidden));
    }

    /// This happens before the next request of this operation is executed.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn happens_before(&self, operation: &str, what: impl AsyncFnOnce() + Send + 'static) {
        let runtime = Handle::current();
        let what = move || runtime.block_on(Box::pin(what()));
        lock(&self.losing).push((operation.to_owned(), Fate::Late(Box::new(what))));
    }

    /// This happens before the request of any operation that follows so many others.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn happens_after(&self, requests: usize, what: impl AsyncFnOnce() + Send + 'static) {
        (0..requests).for_each(|_| self.happens_before(ANY, async || ()));
        self.happens_before(ANY, what);
    }

    /// Answers no request from now on.
    pub fn hang(&self) {
        lock(&self.hanging).which = Some(None);
    }

    /// Answers no request of this operation from now on.
    pub fn hang_on(&self, operation: &str) {
        lock(&self.hanging).which = Some(Some(operation.to_owned()));
    }

    /// Denies all requests of this operation from now on, as AWS does without the permission.
    pub fn deny(&self, operation: &str) {
        lock(&self.hanging).denied = Some(operation.to_owned());
    }

    /// True if a client has waited for an answer in vain.
    pub fn has_kept_waiting(&self) -> bool {
        !lock(&self.hanging).waiting.is_empty()
    }

    /// True if every planned loss has happened.
    pub fn has_lost_all(&self) -> bool {
        lock(&self.losing).is_empty()
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pass_on(
    client: &TcpStream,
    upstream: &str,
    losing: &Mutex<Vec<Losing>>,
    hanging: &Mutex<Hanging>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client);
    let (mut head, mut length, mut operation) = (String::new(), 0, String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            break;
        }
        // S3 has no header with the operation.
        if head.is_empty() && line.starts_with("GET ") {
            let lists = line.contains("list-type");
            operation = if lists { "ListObjectsV2" } else { "GetObject" }.to_owned();
        }
        let (name, value) = line.trim_end().split_once(':').unwrap_or((line.trim_end(), ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "x-amz-target" => operation = value.rsplit('.').next().unwrap_or_default().to_owned(),
            // One connection per request keeps this simple.
            "connection" => continue,
            _ => {}
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut client = client;
    {
        let mut hanging = lock(hanging);
        if hanging.denied.as_ref() == Some(&operation) {
            return client.write_all(answer_400(r#"{"__type": "AccessDeniedException"}"#).as_bytes());
        }
        if let Some(which) = &hanging.which
            && which.as_ref().is_none_or(|hangs| *hangs == operation)
        {
            hanging.waiting.push(client.try_clone()?);
            return Ok(());
        }
    }
    let fate = {
        let mut losing = lock(losing);
        let place = losing.iter().position(|(lost, _)| *lost == operation || lost == ANY);
        place.map(|place| losing.remove(place).1)
    };
    let fate = match fate {
        Some(Fate::InTheWay) => return client.write_all(refusal(&operation).as_bytes()),
        Some(Fate::InTransaction) => return client.write_all(answer_400(IN_TRANSACTION).as_bytes()),
        Some(Fate::Forbidden) => return client.write_all(FORBIDDEN.as_bytes()),
        Some(Fate::Throttled) => return client.write_all(answer_400(THROTTLED).as_bytes()),
        Some(Fate::Late(what)) => {
            what();
            None
        }
        fate => fate,
    };
    let mut server = TcpStream::connect(upstream)?;
    server.write_all(format!("{head}connection: close\r\n\r\n").as_bytes())?;
    server.write_all(&body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    if let Some(Fate::Lost(then)) = fate {
        then();
        return Ok(());
    }
    client.write_all(&answer)
}

/// The table's refusal of a conditional write.
fn refusal(operation: &str) -> String {
    let body = if operation == "TransactWriteItems" {
        r#"{"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "CancellationReasons": [{"Code": "TransactionConflict"}]}"#
    } else {
        r#"{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}"#
    };
    answer_400(body)
}

const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\ncontent-type: application/xml\r\ncontent-length: 50\r\nconnection: close\r\n\r\n\
    <Error><Code>AccessDenied</Code><Message/></Error>";

const IN_TRANSACTION: &str = r#"{"__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException"}"#;

const THROTTLED: &str = r#"{"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}"#;

fn answer_400(body: &str) -> String {
    let kind = "content-type: application/x-amz-json-1.0\r\n";
    head("400 Bad Request", kind, body.len() as u64) + body
}
