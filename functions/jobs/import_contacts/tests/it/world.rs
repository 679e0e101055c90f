//! A tenant, its uploaded tables, and the operations that work through them.

use std::sync::LazyLock;

use domain::people::{Driver, Field, Filter, Import, ImportResult, Person, Search};
use domain::terms::{Actor, ImportId, Operation, OperationKind, OperationState};
use import_contacts::{Context, handle};
use jobs::StartOperation;
use kit::operation::Ran;
use kit::{FileKey, Files};
use serde_json::{Value, json};
use sheet::encoding::Encoding;
use sheet::import::ImportContacts;
use sheet::row::Label;
use store::contacts::PeoplePosition;
use store::{Store, Versioned};
use testkit::operations::result_of;
use tokio::sync::{RwLock, RwLockReadGuard};

/// Consumed capacity is counted per process, so a test that counts it runs alone.
pub(crate) static COUNTING: LazyLock<RwLock<()>> = LazyLock::new(RwLock::default);

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) files: Files,
    world: testkit::World<Context>,
    _others_may_run: Option<RwLockReadGuard<'static, ()>>,
}

testkit::extends_world!(World.world: Context);

impl World {
    /// With steps of this many rows.
    pub(crate) async fn new(rows: usize) -> Self {
        let guard = COUNTING.read().await;
        let Self {
            mut world,
            store,
            files,
            ..
        } = Self::without_claim().await;
        world.ctx = world.ctx.in_steps_of(rows, 500);
        Self {
            store,
            files,
            world,
            _others_may_run: Some(guard),
        }
    }

    /// Without a claim to [`COUNTING`], which the caller has. Steps are as long as on AWS.
    pub(crate) async fn without_claim() -> Self {
        let world = testkit::World::new(Context::new).await;
        Self {
            store: world.store(),
            files: Files::new(world.aws.env()).unwrap(),
            world,
            _others_may_run: None,
        }
    }

    /// A searchable field and one that is not.
    pub(crate) async fn fields(&self) -> Vec<Field> {
        let birthday = json!({"key": "birthday", "name": "Birthday", "type": "date", "searchable": true});
        let visits = json!({"key": "visits", "name": "Visits", "type": "number"});
        vec![self.create_owned(birthday).await, self.create_owned(visits).await]
    }

    pub(crate) async fn upload(&self, table: impl Into<Vec<u8>>) -> Import {
        let table = table.into();
        let import = Import {
            id: ImportId::new(self.aws.ids().ulid()),
            name: None,
            size: u32::try_from(table.len()).unwrap(),
            created_by: Actor::Operator,
            created_at: self.aws.now(),
            operation: None,
        };
        self.write(&import, table).await;
        let stamp = self.aws.stamp();
        let created = self.store.create_import(self.scope(), &import, &stamp);
        created.await.unwrap();
        import
    }

    /// Uploads other content for the same import.
    pub(crate) async fn write(&self, import: &Import, table: Vec<u8>) {
        let key = FileKey::upload(self.scope(), import.id.ulid());
        self.files.write(&key, table).await.unwrap();
    }

    /// Starts to import a table with a header in UTF-8, as the API does. `order`: the settings.
    pub(crate) async fn start(&self, import: &Import, order: Value) -> StartOperation {
        let key = FileKey::upload(self.scope(), import.id.ulid());
        let facts = self.files.facts(&key).await.unwrap().unwrap();
        let mut all = json!({
            "import": import.id, "etag": facts.etag,
            "table": {"encoding": Encoding::UTF_8, "separator": "comma", "header": true},
        });
        let given = order.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(given);
        let params: ImportContacts = serde_json::from_value(all).unwrap();
        let operation = self.operations.new_unstored(OperationKind::ImportContacts, &params);
        let found = self.store.import(self.scope(), import.id, self.aws.now()).await;
        let Versioned { version, value } = found.unwrap().unwrap();
        let after = Import {
            operation: Some(operation.id),
            ..value
        };
        let (store, stamp) = (&self.store, self.aws.stamp());
        let started = store.start_import(self.scope(), version, &after, &operation, &stamp);
        started.await.unwrap();
        self.operations.start(&operation)
    }

    /// Takes a step, and records it.
    pub(crate) async fn run_step(&self, start: &StartOperation) -> Ran {
        self.operations.step(start, &self.ctx, &handle).await
    }

    /// All steps, each of them twice: by a worker that dies before it records it, and by the next one. Returns their number.
    pub(crate) async fn all_steps_twice(&self, start: &StartOperation) -> usize {
        self.operations.all_steps_twice(start, &self.ctx, &handle).await
    }

    /// The next step, made by a worker that dies after this time.
    pub(crate) async fn killed_step(&self, start: &StartOperation, milliseconds: u64) {
        let turn = self.operations.turn(start).await;
        let time = std::time::Duration::from_millis(milliseconds);
        let step = Box::pin(handle(turn, &self.ctx));
        if let Ok(made) = tokio::time::timeout(time, step).await {
            made.unwrap();
        }
    }

    /// Runs it to its end, and returns that.
    pub(crate) async fn finish(&self, start: &StartOperation) -> Operation {
        self.operations.finish(start, &self.ctx, &handle).await.0
    }

    /// Runs it to its end, which is a failure. Returns the reason.
    pub(crate) async fn failure(&self, start: &StartOperation) -> String {
        let operation = self.finish(start).await;
        assert_eq!(operation.state, OperationState::Failed);
        operation.reason.unwrap()
    }

    /// Imports a table, and returns the result.
    pub(crate) async fn import(&self, table: impl Into<Vec<u8>>, order: Value) -> ImportResult {
        let import = self.upload(table).await;
        let start = self.start(&import, order).await;
        result(&self.finish(&start).await)
    }

    pub(crate) async fn people(&self) -> Vec<Person> {
        let everybody = Search {
            filter: Filter::default(),
            driver: Driver::All,
        };
        let (mut people, mut after) = (Vec::new(), None);
        loop {
            let page = self
                .store
                .search_contacts(self.scope(), &everybody, after.as_ref(), 100, false);
            let page = page.await.unwrap();
            people.extend(page.items);
            let Some(next) = page.next else { return people };
            after = PeoplePosition::read(&next, &everybody);
        }
    }

    /// The names of all contacts, sorted.
    pub(crate) async fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.people().await.iter().map(name).collect();
        names.sort();
        names
    }

    /// The file with the refused rows, without its mark.
    pub(crate) async fn errors(&self) -> String {
        let files = self.aws.files("results/").await;
        assert_eq!(files.len(), 1, "one file: {:?}", files.keys());
        let text = String::from_utf8(files.into_values().next().unwrap()).unwrap();
        text.trim_start_matches('\u{feff}').to_owned()
    }
}

/// The result of an import that is done.
pub(crate) fn result(operation: &Operation) -> ImportResult {
    result_of(operation)
}

/// A mapping of columns to these targets.
pub(crate) fn mapping(targets: &[&str]) -> Value {
    let target = |target: &&str| match target.strip_prefix("field:") {
        Some(key) => json!({ "field": key }),
        None => json!(target),
    };
    let columns = targets.iter().enumerate();
    let columns: Vec<Value> = columns
        .map(|(column, of)| json!({"column": column, "target": target(of)}))
        .collect();
    json!({ "columns": columns })
}

/// The name of a contact.
pub(crate) fn name(person: &Person) -> String {
    person.profile.name.as_deref().unwrap_or_default().to_owned()
}

/// A tag's name, as in a table.
pub(crate) fn label(text: &str) -> Label {
    text.parse().unwrap()
}
