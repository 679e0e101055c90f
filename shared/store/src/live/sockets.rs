//! Sockets of a tenant, the tickets that open them, and the present rights of whoever did.

use std::collections::{BTreeSet, HashMap};

use domain::accounts::{ApiKey, EndedSessions, Member, MemberStatus};
use domain::live::{MAX_SAID, Rights, Socket, SocketId, SocketOwner, Ticket};
use domain::tenants::Tenant;
use domain::terms::{Actor, IpRange};
use jiff::Timestamp;

use crate::accounts::caller_key;
use crate::table::keys::{self, Key};
use crate::table::row::{self, Condition, Row, Write};
use crate::{RACES, Store, StoreError, TenantScope, Versioned};

/// Maximum sockets of a tenant that are listed: more than any plan allows.
const MAX_LISTED: i32 = 5_000;

const _: () = assert!(MAX_SAID <= 16 * 1024, "the views of a socket fit into its row");

fn socket_row(
    scope: &TenantScope,
    socket: &Socket,
    condition: Condition,
    version: u64,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let row = Row::new(&keys::socket(scope, &socket.id), "socket", socket, condition, doing)?;
    Ok(row.version(version).expires_at(socket.ends_at()))
}

impl Store {
    /// Stores a ticket, by the SHA-256 of its token.
    ///
    /// # Errors
    /// When the table does not answer; a conflict if there is a ticket with this hash.
    pub async fn create_ticket(&self, sha256: &str, ticket: &Ticket) -> Result<(), StoreError> {
        const DOING: &str = "store a ticket for a socket";
        let row = Row::new(&keys::ticket(sha256), "ticket", ticket, Condition::New, DOING)?;
        self.database.put(row.expires_at(ticket.until), DOING).await
    }

    /// The ticket with this hash, while it is good.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn ticket_before_scope(&self, sha256: &str, now: Timestamp) -> Result<Option<Ticket>, StoreError> {
        const DOING: &str = "read a ticket for a socket";
        let item = self.database.get(&keys::ticket(sha256), DOING).await?;
        let ticket = row::read_versioned::<Ticket>(item, None, DOING)?.map(|ticket| ticket.value);
        Ok(ticket.filter(|ticket| now < ticket.until))
    }

    /// Opens a socket from a network, which uses up the ticket. False: the ticket was used.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn open_socket(
        &self,
        scope: &TenantScope,
        sha256: &str,
        socket: &Socket,
        network: Option<IpRange>,
    ) -> Result<bool, StoreError> {
        const DOING: &str = "open a socket";
        let owner = SocketOwner {
            tenant: scope.tenant(),
            who: socket.who,
            network,
        };
        let key = keys::socket_owner(&socket.id);
        let pointer = Row::new(&key, "socket_owner", &owner, Condition::Always, DOING)?;
        let writes = vec![
            Write::Delete(keys::ticket(sha256)),
            Write::Put(pointer.expires_at(socket.closes_at())),
            Write::Put(socket_row(scope, socket, Condition::Always, 1, DOING)?),
        ];
        let opened = self.database.try_transact(writes, DOING).await?;
        Ok(opened.is_ok())
    }

    /// The tenant and the caller of a socket.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn socket_owner_before_scope(&self, id: &SocketId) -> Result<Option<SocketOwner>, StoreError> {
        const DOING: &str = "read to whom a socket belongs";
        let item = self.database.get(&keys::socket_owner(id), DOING).await?;
        Ok(row::read_versioned::<SocketOwner>(item, None, DOING)?.map(|owner| owner.value))
    }

    /// A socket, while it is open, with the present rights of its caller. `None`: it has none any more.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn socket(
        &self,
        scope: &TenantScope,
        id: &SocketId,
        who: Actor,
        now: Timestamp,
    ) -> Result<Option<(Versioned<Socket>, Rights)>, StoreError> {
        const DOING: &str = "read a socket";
        let key = keys::socket(scope, id);
        let mut found = self.rights_and(scope, [who].into(), Some(&key), now, DOING).await?;
        let socket = readable(row::read_versioned::<Socket>(found.further, Some(now), DOING))?;
        let Some((socket, rights)) = socket.zip(found.rights.remove(&who)) else {
            return Ok(None);
        };
        let allowed = rights.allow(&socket.value, socket.value.since);
        Ok(allowed.then_some((socket, rights)))
    }

    /// The open sockets of a tenant, consistently: a query for each megabyte. One that this version cannot read is left
    /// out: its client begins anew when it says something.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn sockets(&self, scope: &TenantScope, now: Timestamp) -> Result<Vec<Versioned<Socket>>, StoreError> {
        const DOING: &str = "list the sockets of a tenant";
        let partition = keys::sockets(scope);
        let items = self.database.query(&partition, "", MAX_LISTED, false, DOING).await?;
        let sockets = items
            .into_iter()
            .map(|item| readable(row::read_versioned(Some(item), Some(now), DOING)));
        sockets.filter_map(Result::transpose).collect()
    }

    /// A socket, whoever may have it.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn known_socket(
        &self,
        scope: &TenantScope,
        id: &SocketId,
    ) -> Result<Option<Versioned<Socket>>, StoreError> {
        const DOING: &str = "read a socket again";
        let item = self.database.get(&keys::socket(scope, id), DOING).await?;
        readable(row::read_versioned(item, None, DOING))
    }

    /// Changes a socket that was read, also if something else changes it meanwhile, and returns it as it was before. `None`: it is closed.
    ///
    /// # Errors
    /// When the table does not answer; a conflict if others changed it again and again.
    pub async fn update_socket(
        &self,
        scope: &TenantScope,
        socket: Versioned<Socket>,
        change: impl Fn(&mut Socket),
    ) -> Result<Option<Socket>, StoreError> {
        let id = socket.value.id.clone();
        RACES
            .until_won_from(
                Some(socket),
                async || self.known_socket(scope, &id).await,
                async |known| {
                    let Some(mut socket) = known else { return Ok(None) };
                    let before = socket.value.clone();
                    change(&mut socket.value);
                    self.change_socket(scope, &socket).await?;
                    Ok(Some(before))
                },
            )
            .await
    }

    /// Writes a socket over the one that was read.
    ///
    /// # Errors
    /// When the table does not answer; a conflict if it was changed or closed meanwhile.
    pub async fn change_socket(&self, scope: &TenantScope, socket: &Versioned<Socket>) -> Result<(), StoreError> {
        const DOING: &str = "change a socket";
        let unchanged = Condition::Version(socket.version);
        let row = socket_row(scope, &socket.value, unchanged, socket.version + 1, DOING)?;
        self.database.put(row, DOING).await
    }

    /// Notes since when a socket cannot be reached, and returns it as it is then, if it is known. One that is behind already stays so from the
    /// earlier time.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn note_behind(
        &self,
        scope: &TenantScope,
        id: &SocketId,
        since: Timestamp,
    ) -> Result<Option<Versioned<Socket>>, StoreError> {
        RACES
            .until_won(async || {
                let Some(mut socket) = self.known_socket(scope, id).await? else {
                    return Ok(None);
                };
                // Written also if it is known: whoever is just telling it to catch up did not know of this.
                let known = socket.value.behind_since;
                socket.value.behind_since = Some(known.map_or(since, |known| known.min(since)));
                self.change_socket(scope, &socket).await?;
                socket.version += 1;
                Ok(Some(socket))
            })
            .await
    }

    /// Notes that a socket was told to catch up. If it was left behind again meanwhile, it stays so.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn note_reached(&self, scope: &TenantScope, socket: &Versioned<Socket>) -> Result<(), StoreError> {
        let mut reached = socket.clone();
        reached.value.behind_since = None;
        match self.change_socket(scope, &reached).await {
            Err(StoreError::Conflict { .. }) => Ok(()),
            done => done,
        }
    }

    /// Notes by `hear` that the client of a socket said something, and was told to catch up if it had to. If it was left behind again
    /// meanwhile, it stays so.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn note_heard(
        &self,
        scope: &TenantScope,
        socket: &Versioned<Socket>,
        hear: impl Fn(&mut Socket),
    ) -> Result<(), StoreError> {
        let mut heard = socket.clone();
        hear(&mut heard.value);
        heard.value.behind_since = None;
        let read = async || {
            let known = self.known_socket(scope, &socket.value.id).await?;
            Ok::<_, StoreError>(known.map(|mut known| {
                hear(&mut known.value);
                known
            }))
        };
        RACES
            .until_won_from(Some(heard), read, async |heard| match heard {
                Some(heard) => self.change_socket(scope, &heard).await,
                None => Ok(()),
            })
            .await
    }

    /// Forgets a socket, whether it is known or not.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn forget_socket(&self, scope: &TenantScope, id: &SocketId) -> Result<(), StoreError> {
        const DOING: &str = "forget a socket";
        let both = [keys::socket(scope, id), keys::socket_owner(id)];
        self.database.delete_many(&both, DOING).await
    }

    /// The present rights of callers in the tenant; those without any are missing. One request for up to 99.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn rights(
        &self,
        scope: &TenantScope,
        callers: BTreeSet<Actor>,
        now: Timestamp,
    ) -> Result<HashMap<Actor, Rights>, StoreError> {
        const DOING: &str = "read the rights of callers";
        let found = self.rights_and(scope, callers, None, now, DOING).await?;
        Ok(found.rights)
    }

    async fn rights_and(
        &self,
        scope: &TenantScope,
        callers: BTreeSet<Actor>,
        further: Option<&Key>,
        now: Timestamp,
        doing: &'static str,
    ) -> Result<Found, StoreError> {
        let tenant = keys::tenant(scope);
        let of_callers = callers.into_iter();
        let of_callers: Vec<(Actor, Key)> = of_callers
            .filter_map(|who| Some((who, caller_key(scope, who)?)))
            .collect();
        let keys = of_callers.iter().map(|(_, key)| key);
        let wanted: Vec<Key> = keys.chain([&tenant]).chain(further).cloned().collect();
        let mut found = self.database.get_many(&wanted, doing).await?;
        let further = further.and_then(|key| found.remove(key));
        let tenant = readable(row::read_versioned::<Tenant>(found.remove(&tenant), None, doing))?;
        let mut rights = HashMap::new();
        if tenant.is_none_or(|tenant| !tenant.value.status.is_active()) {
            return Ok(Found { rights, further });
        }
        for (who, key) in of_callers {
            let item = found.remove(&key);
            let has = match who {
                Actor::User(_) => readable(row::read_versioned::<Member>(item, Some(now), doing))?
                    .map(|member| member.value)
                    .filter(|member| member.status == MemberStatus::Active)
                    .map(|member| Rights {
                        role: member.role,
                        scopes: Vec::new(),
                        from: member.sessions_from,
                        spared: member.spared_session,
                        ended: member.ended_sessions,
                        secrets: Vec::new(),
                    }),
                Actor::ApiKey(_) | Actor::Platform(_) | Actor::Operator => {
                    readable(row::read_versioned::<ApiKey>(item, Some(now), doing))?
                        .map(|key| key.value)
                        .filter(|key| key.is_valid(now))
                        .map(|key| Rights {
                            secrets: key.valid_hashes(now),
                            role: key.role,
                            scopes: key.scopes,
                            from: key.created_at,
                            spared: None,
                            ended: EndedSessions::NONE,
                        })
                }
            };
            rights.extend(has.map(|has| (who, has)));
        }
        Ok(Found { rights, further })
    }
}

struct Found {
    rights: HashMap<Actor, Rights>,
    further: Option<row::Item>,
}

/// `None` in place of a row that this version can never read: one of them must not hold up all others.
fn readable<T>(read: Result<Option<T>, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Err(error) if error.is_unreadable() => Ok(None),
        read => read,
    }
}
