-- What must always hold. Each query lists what breaks it: no rows, no fault.
-- Used by `klik check`, by the restore drill and by tests. Portable: SQLite and PostgreSQL.
-- A line `-- name: …` begins a query; its Danish sentence follows after `-- says:`.

-- name: copies-of-published-tasks
-- says: Opgaven blev udgivet til et andet antal kommuner, end der er kopier
select 'opgave/' || t.id
from tasks t
where t.published_at is not null
  and t.recipient_count <> (select count(*) from municipal_tasks m where m.task_id = t.id);

-- name: publication-audited-once
-- says: Udgivelsen står ikke netop én gang i revisionssporet
select 'opgave/' || t.id
from tasks t
where t.published_at is not null
  and (select count(*) from audit_entries a where a.action = 'publish' and a.subject = 'task/' || t.id) <> 1;

-- name: current-version-exists
-- says: Opgavens gældende version findes ikke
select 'opgave/' || t.id
from tasks t
where t.current_number is not null
  and not exists (select 1 from task_versions v where v.task_id = t.id and v.number = t.current_number);

-- name: number-on-every-copy
-- says: Kommunens opgave har et andet opgave-ID end KOMBITs
select 'kommuneopgave/' || m.id
from municipal_tasks m join tasks t on t.id = m.task_id
where m.erased_at is null and m.task_number <> t.task_number;

-- name: yellow-not-after-deadline
-- says: Opgaven bliver gul efter sin frist
select 'kommuneopgave/' || id from municipal_tasks where yellow_from > deadline;

-- name: completed-has-day
-- says: Opgaven er fuldført uden dato, eller har dato uden at være fuldført
select 'kommuneopgave/' || id from municipal_tasks
where (status = 'fuldfoert') <> (completed_on is not null) and erased_at is null;

-- name: not-relevant-has-reason
-- says: Opgaven er ikke relevant uden begrundelse
select 'kommuneopgave/' || id from municipal_tasks
where status = 'ikke-relevant' and coalesce(not_relevant_reason, '') = '' and erased_at is null;

-- name: mail-of-its-own-recipient
-- says: Varslet ligger i en mail til en anden adresse
select 'varsel/' || n.id
from notices n join mails m on m.id = n.mail_id
where lower(n.address) <> lower(m.address);

-- name: sent-has-moment
-- says: Mailen er afleveret uden tidspunkt
select 'mail/' || id from mails where state = 'sent' and sent_at is null;

-- name: erased-has-archive
-- says: Opgaven er slettet uden en arkivfil, der er læst igen
select 'kommuneopgave/' || m.id
from municipal_tasks m
where m.erased_at is not null
  and not exists (
    select 1 from deletion_items d
    where d.municipal_task_id = m.id and d.archive_sha256 is not null and d.verified_at is not null);

-- name: erased-has-no-content
-- says: Opgaven er slettet, men noget af dens indhold står der endnu
select 'kommuneopgave/' || m.id
from municipal_tasks m
where m.erased_at is not null
  and (m.title <> 'Slettet opgave' or m.local_text <> '' or m.search_key <> '' or m.not_relevant_reason is not null
    or exists (select 1 from comments c where c.municipal_task_id = m.id)
    or exists (select 1 from task_changes c where c.municipal_task_id = m.id)
    or exists (select 1 from checklist_items c where c.municipal_task_id = m.id)
    or exists (select 1 from municipal_task_files c where c.municipal_task_id = m.id));

-- name: deleted-on-both-sides
-- says: Sletningen og opgaven er ikke enige om, at den er slettet
select 'slettepost/' || d.id
from deletion_items d join municipal_tasks m on m.id = d.municipal_task_id
where d.state = 'slettet' and m.erased_at is null;

-- name: deleted-in-time
-- says: Opgaven er slettet før sin sidste dag, eller uden at arkivfilen lige var læst
select 'slettepost/' || d.id
from deletion_items d join deletions x on x.id = d.deletion_id
where d.state = 'slettet'
  and (d.erased_at is null or d.verified_at is null or d.erased_at < d.verified_at or d.archive_size is null
    or d.archive_kept_until is null or d.archive_kept_until <= x.last_day);

-- name: done-deletion-has-nothing-left
-- says: Sletningen er afsluttet, men ikke alle dens opgaver er slettet
select 'sletning/' || x.id
from deletions x
where x.state = 'afsluttet'
  and exists (select 1 from deletion_items d where d.deletion_id = x.id and d.state <> 'slettet');

-- name: member-of-the-municipality
-- says: Den ansvarlige eller udføreren hører ikke til kommunen
select 'kommuneopgave/' || m.id
from municipal_tasks m
where (m.responsible_id is not null and not exists (
        select 1 from memberships b where b.person_id = m.responsible_id and b.municipality_id = m.municipality_id))
   or (m.executor_id is not null and not exists (
        select 1 from memberships b where b.person_id = m.executor_id and b.municipality_id = m.municipality_id));

-- name: one-primary
-- says: Rollen har flere primære på én gang
select 'kommune/' || municipality_id || ' ' || role
from role_holdings
where is_primary and valid_to is null
group by municipality_id, role, coalesce(system_code, '')
having count(*) > 1;

-- name: every-municipality-once
-- says: Kommunelisten er ikke på 98
select 'kommuner: ' || count(*) from municipalities where active having count(*) <> 98;
