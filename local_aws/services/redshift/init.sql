-- What Redshift has and PostgreSQL hasn't: run once in template1, so that every database gets it.

SET allow_system_table_mods = on;

-- Tables -------------------------------------------------------------------------------------------------

-- Keys become plain indexes of the same name (Redshift enforces no key but keeps NOT NULL); the length of a
-- VARCHAR is checked in bytes; a VARCHAR without a length has Redshift's default.
CREATE FUNCTION pg_catalog.rs_tidy_table(number oid, fresh boolean) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    changes text[] := '{}';
    indexes text[] := '{}';
    one record;
    one_index text;
BEGIN
    FOR one IN
        SELECT conname, pg_get_indexdef(conindid) AS definition FROM pg_constraint
        WHERE conrelid = number AND contype IN ('p', 'u')
    LOOP
        changes := changes || format('DROP CONSTRAINT %I', one.conname);
        indexes := indexes || replace(one.definition, 'CREATE UNIQUE INDEX', 'CREATE INDEX');
    END LOOP;
    FOR one IN
        WITH text_columns AS (
            SELECT attname, atttypid,
                CASE
                    WHEN atttypmod > 4 THEN atttypmod - 4
                    WHEN atttypid = 'text'::regtype OR atttypid = 'varchar'::regtype
                    THEN CASE WHEN fresh THEN 256 ELSE 65535 END
                END AS size,
                atttypmod <= 4 AS unlimited
            FROM pg_attribute
            WHERE attrelid = number AND attnum > 0 AND NOT attisdropped
                AND atttypid IN ('varchar'::regtype, 'text'::regtype, 'bpchar'::regtype)
        ), wanted AS (
            SELECT *, format('rs_bytes_%s_%s', size, left(attname, 40)) AS rule FROM text_columns
            WHERE size IS NOT NULL
        ), present AS (
            SELECT conname FROM pg_constraint
            WHERE conrelid = number AND contype = 'c' AND conname LIKE 'rs\\_bytes\\_%'
        )
        SELECT w.*, p.conname FROM wanted w FULL JOIN present p ON p.conname = w.rule
        WHERE p.conname IS NULL OR w.rule IS NULL OR w.unlimited
    LOOP
        IF one.rule IS NULL THEN
            changes := changes || format('DROP CONSTRAINT %I', one.conname);
            CONTINUE;
        END IF;
        IF one.unlimited THEN
            changes := changes || format('ALTER COLUMN %I TYPE varchar(%s)', one.attname, one.size);
        END IF;
        IF one.conname IS NULL THEN
            changes := changes
                || format('ADD CONSTRAINT %I CHECK (octet_length(%I) <= %s)', one.rule, one.attname, one.size);
        END IF;
    END LOOP;
    IF changes <> '{}' THEN
        EXECUTE format('ALTER TABLE %s %s', number::regclass, array_to_string(changes, ', '));
    END IF;
    FOREACH one_index IN ARRAY indexes LOOP
        EXECUTE one_index;
    END LOOP;
END $body$;

CREATE FUNCTION pg_catalog.rs_tidy() RETURNS event_trigger LANGUAGE plpgsql AS $body$
DECLARE
    made record;
BEGIN
    IF current_setting('rs.tidying', true) = 'on' THEN
        RETURN;
    END IF;
    PERFORM set_config('rs.tidying', 'on', false);
    FOR made IN
        SELECT DISTINCT objid FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table'
    LOOP
        PERFORM pg_catalog.rs_tidy_table(made.objid, tg_tag = 'CREATE TABLE');
    END LOOP;
    PERFORM set_config('rs.tidying', 'off', false);
END $body$;

CREATE EVENT TRIGGER rs_tidy ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE')
    EXECUTE FUNCTION pg_catalog.rs_tidy();

-- Functions ----------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION pg_catalog.version() RETURNS text LANGUAGE sql STABLE AS
$$ SELECT 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.77467'::text $$;
CREATE FUNCTION pg_catalog.getdate() RETURNS timestamp LANGUAGE sql STABLE AS
$$ SELECT date_trunc('second', statement_timestamp() AT TIME ZONE 'UTC') $$;
CREATE FUNCTION pg_catalog.getsysdate() RETURNS timestamp LANGUAGE sql STABLE AS
$$ SELECT transaction_timestamp() AT TIME ZONE 'UTC' $$;
CREATE FUNCTION pg_catalog.nvl2(anyelement, anycompatible, anycompatible) RETURNS anycompatible
LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN $1 IS NOT NULL THEN $2 ELSE $3 END $$;
CREATE FUNCTION pg_catalog.len(text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT length($1) $$;
CREATE FUNCTION pg_catalog.charindex(text, text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT strpos($2, $1) $$;
CREATE FUNCTION pg_catalog.strtol(text, integer) RETURNS bigint LANGUAGE plpgsql IMMUTABLE STRICT AS $body$
DECLARE
    digits text := lower(ltrim(regexp_replace($1, '^\\s*[+-]?(0x)?', ''), ' '));
    result bigint := 0;
    at integer;
BEGIN
    FOR at IN 1..length(digits) LOOP
        result := result * $2 + strpos('0123456789abcdefghijklmnopqrstuvwxyz', substr(digits, at, 1)) - 1;
    END LOOP;
    RETURN CASE WHEN $1 ~ '^\\s*-' THEN -result ELSE result END;
END $body$;
CREATE FUNCTION pg_catalog.sha2(text, integer) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT encode(CASE $2 WHEN 224 THEN sha224($1::bytea) WHEN 384 THEN sha384($1::bytea)
        WHEN 512 THEN sha512($1::bytea) ELSE sha256($1::bytea) END, 'hex') $$;
CREATE FUNCTION pg_catalog.func_md5(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT md5($1) $$;

CREATE FUNCTION pg_catalog.rs_unit(part text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE
        WHEN lower(part) IN ('year', 'years', 'yr', 'y') THEN 'year'
        WHEN lower(part) IN ('quarter', 'quarters', 'qtr', 'qtrs') THEN 'quarter'
        WHEN lower(part) IN ('month', 'months', 'mon', 'mons') THEN 'month'
        WHEN lower(part) IN ('week', 'weeks', 'w') THEN 'week'
        WHEN lower(part) IN ('day', 'days', 'd', 'doy', 'dayofyear', 'dow', 'dw') THEN 'day'
        WHEN lower(part) IN ('hour', 'hours', 'h', 'hr') THEN 'hour'
        WHEN lower(part) IN ('minute', 'minutes', 'min', 'mins', 'm') THEN 'minute'
        WHEN lower(part) IN ('second', 'seconds', 'sec', 'secs', 's') THEN 'second'
        WHEN lower(part) IN ('millisecond', 'milliseconds', 'ms', 'msec') THEN 'millisecond'
        WHEN lower(part) IN ('microsecond', 'microseconds', 'us', 'usec') THEN 'microsecond'
        ELSE lower(part)
    END $$;
CREATE FUNCTION pg_catalog.dateadd(text, bigint, timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE rs_unit($1)
        WHEN 'quarter' THEN $3 + make_interval(months => 3 * $2::integer)
        ELSE $3 + ($2::text || ' ' || rs_unit($1))::interval
    END $$;
CREATE FUNCTION pg_catalog.dateadd(text, bigint, timestamptz) RETURNS timestamptz LANGUAGE sql STABLE STRICT AS $$
    SELECT CASE rs_unit($1)
        WHEN 'quarter' THEN $3 + make_interval(months => 3 * $2::integer)
        ELSE $3 + ($2::text || ' ' || rs_unit($1))::interval
    END $$;
CREATE FUNCTION pg_catalog.dateadd(text, bigint, date) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT dateadd($1, $2, $3::timestamp) $$;
CREATE FUNCTION pg_catalog.date_add(text, bigint, timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT dateadd($1, $2, $3) $$;
-- Counts the boundaries of a unit that lie between two moments, as Redshift does.
CREATE FUNCTION pg_catalog.datediff(text, timestamp, timestamp) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE rs_unit($1)
        WHEN 'year' THEN extract(year FROM $3) - extract(year FROM $2)
        WHEN 'quarter' THEN (extract(year FROM $3) - extract(year FROM $2)) * 4
            + extract(quarter FROM $3) - extract(quarter FROM $2)
        WHEN 'month' THEN (extract(year FROM $3) - extract(year FROM $2)) * 12
            + extract(month FROM $3) - extract(month FROM $2)
        WHEN 'week' THEN ((date_trunc('week', $3 + interval '1 day')::date
            - date_trunc('week', $2 + interval '1 day')::date) / 7)
        WHEN 'day' THEN $3::date - $2::date
        WHEN 'hour' THEN extract(epoch FROM date_trunc('hour', $3) - date_trunc('hour', $2)) / 3600
        WHEN 'minute' THEN extract(epoch FROM date_trunc('minute', $3) - date_trunc('minute', $2)) / 60
        WHEN 'second' THEN extract(epoch FROM date_trunc('second', $3) - date_trunc('second', $2))
        WHEN 'millisecond' THEN extract(epoch FROM date_trunc('milliseconds', $3) - date_trunc('milliseconds', $2)) * 1000
        WHEN 'microsecond' THEN extract(epoch FROM $3 - $2) * 1000000
    END::bigint $$;
CREATE FUNCTION pg_catalog.date_diff(text, timestamp, timestamp) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT datediff($1, $2, $3) $$;
CREATE FUNCTION pg_catalog.date_part_year(date) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT extract(year FROM $1)::integer $$;
CREATE FUNCTION pg_catalog.last_day(timestamp) RETURNS date LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT (date_trunc('month', $1) + interval '1 month - 1 day')::date $$;
CREATE FUNCTION pg_catalog.add_months(timestamp, integer) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE WHEN $1::date = last_day($1)
        THEN last_day($1 + make_interval(months => $2)) + ($1 - date_trunc('day', $1))
        ELSE $1 + make_interval(months => $2) END $$;
CREATE FUNCTION pg_catalog.months_between(timestamp, timestamp) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE
        WHEN extract(day FROM $1) = extract(day FROM $2) OR ($1::date = last_day($1) AND $2::date = last_day($2))
        THEN datediff('month', $2, $1)
        ELSE datediff('month', $2, $1)
            + (extract(day FROM $1) - extract(day FROM $2)
               + extract(epoch FROM ($1 - date_trunc('day', $1)) - ($2 - date_trunc('day', $2))) / 86400) / 31
    END::double precision $$;
CREATE FUNCTION pg_catalog.convert_timezone(text, text, timestamp) RETURNS timestamp LANGUAGE sql STABLE STRICT AS
$$ SELECT ($3 AT TIME ZONE $1) AT TIME ZONE $2 $$;
CREATE FUNCTION pg_catalog.convert_timezone(text, timestamp) RETURNS timestamp LANGUAGE sql STABLE STRICT AS
$$ SELECT ($2 AT TIME ZONE 'UTC') AT TIME ZONE $1 $$;
CREATE FUNCTION pg_catalog.round(double precision, integer) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT round($1::numeric, $2)::double precision $$;
CREATE FUNCTION pg_catalog.trunc(double precision, integer) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT trunc($1::numeric, $2)::double precision $$;
CREATE FUNCTION pg_catalog.trunc(timestamp) RETURNS date LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1::date $$;

CREATE FUNCTION pg_catalog.is_valid_json(text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT $1 IS JSON OBJECT $$;
CREATE FUNCTION pg_catalog.is_valid_json_array(text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT $1 IS JSON ARRAY $$;
CREATE FUNCTION pg_catalog.can_json_parse(text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 IS JSON $$;
CREATE FUNCTION pg_catalog.json_parse(text) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1::jsonb $$;
CREATE FUNCTION pg_catalog.json_serialize(jsonb) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1::text $$;
CREATE FUNCTION pg_catalog.json_extract_path_text(text, VARIADIC text[]) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(json_extract_path_text($1::json, VARIADIC $2), '') $$;
CREATE FUNCTION pg_catalog.json_extract_array_element_text(text, integer) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT $1::json ->> $2 $$;
CREATE FUNCTION pg_catalog.json_array_length(text) RETURNS integer LANGUAGE sql IMMUTABLE AS
$$ SELECT json_array_length($1::json) $$;
CREATE FUNCTION pg_catalog.pg_last_copy_count() RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT coalesce(nullif(current_setting('rs.last_copy_count', true), ''), '0')::bigint $$;
CREATE FUNCTION pg_catalog.regexp_replace(text, text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT regexp_replace($1, $2, '', 'g') $$;
-- Views here are always bound to their tables, so there are no columns of others to list.
CREATE FUNCTION pg_catalog.pg_get_late_binding_view_cols() RETURNS SETOF record LANGUAGE sql STABLE AS
$$ SELECT NULL::name, NULL::name, NULL::name, NULL::text, NULL::integer WHERE false $$;

-- System tables and views --------------------------------------------------------------------------------

CREATE TABLE pg_catalog.stl_load_errors (
    userid integer, slice integer, tbl bigint, starttime timestamp, session integer, query bigint,
    filename varchar(256), line_number bigint, colname varchar(127), type varchar(32), col_length varchar(10),
    position integer, raw_line varchar(1024), raw_field_value varchar(1024), err_code integer,
    err_reason varchar(1024), is_partial integer, start_offset bigint, copy_job_id bigint
);
CREATE VIEW pg_catalog.sys_load_error_detail AS
    SELECT userid AS user_id, query AS query_id, session AS session_id, current_database() AS database_name,
        tbl AS table_id, starttime AS start_time, filename AS file_name, line_number, colname AS column_name,
        type AS column_type, col_length AS column_length, position, err_code AS error_code,
        err_reason AS error_message
    FROM pg_catalog.stl_load_errors;

CREATE VIEW pg_catalog.svv_columns AS
    SELECT *, NULL::varchar(255) AS remarks FROM information_schema.columns;
CREATE VIEW pg_catalog.svv_tables AS
    SELECT table_catalog, table_schema, table_name, table_type, NULL::varchar(255) AS remarks
    FROM information_schema.tables;
CREATE VIEW pg_catalog.svv_all_tables AS
    SELECT table_catalog AS database_name, table_schema AS schema_name, table_name,
        CASE table_type WHEN 'BASE TABLE' THEN 'TABLE' ELSE table_type END AS table_type,
        NULL::text AS table_acl, NULL::varchar(255) AS remarks
    FROM information_schema.tables;
CREATE VIEW pg_catalog.svv_all_columns AS
    SELECT table_catalog AS database_name, table_schema AS schema_name, table_name, column_name,
        ordinal_position, column_default, is_nullable, data_type, character_maximum_length,
        numeric_precision, numeric_scale, NULL::varchar(255) AS remarks
    FROM information_schema.columns;
CREATE VIEW pg_catalog.svv_all_schemas AS
    SELECT catalog_name AS database_name, schema_name, schema_owner, 'local'::text AS schema_type,
        NULL::text AS schema_acl, NULL::text AS source_database, NULL::text AS schema_option
    FROM information_schema.schemata;
CREATE VIEW pg_catalog.svv_external_schemas AS
    SELECT NULL::oid AS esoid, NULL::integer AS eskind, NULL::text AS schemaname, NULL::integer AS esowner,
        NULL::text AS databasename, NULL::text AS esoptions WHERE false;
CREATE VIEW pg_catalog.svv_external_tables AS
    SELECT NULL::text AS redshift_database_name, NULL::text AS schemaname, NULL::text AS tablename,
        NULL::text AS tabletype, NULL::text AS location, NULL::text AS parameters WHERE false;
CREATE VIEW pg_catalog.svv_external_columns AS
    SELECT NULL::text AS redshift_database_name, NULL::text AS schemaname, NULL::text AS tablename,
        NULL::text AS columnname, NULL::text AS external_type, NULL::integer AS columnnum,
        NULL::integer AS part_key, NULL::text AS is_nullable WHERE false;
CREATE VIEW pg_catalog.svv_redshift_databases AS
    SELECT datname AS database_name, datdba AS database_owner, 'local'::text AS database_type,
        NULL::text AS database_acl, NULL::text AS database_options,
        'Serializable'::text AS database_isolation_level
    FROM pg_catalog.pg_database WHERE NOT datistemplate;
CREATE VIEW pg_catalog.pg_table_def AS
    SELECT n.nspname AS schemaname, c.relname AS tablename, a.attname AS "column",
        format_type(a.atttypid, a.atttypmod) AS type, 'none'::varchar AS encoding, false AS distkey,
        0 AS sortkey, a.attnotnull AS "notnull"
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND pg_table_is_visible(c.oid);
CREATE VIEW pg_catalog.svv_table_info AS
    SELECT current_database() AS database, n.nspname AS schema, c.oid::bigint AS table_id, c.relname AS "table",
        'N'::varchar AS encoded, 'AUTO(ALL)'::varchar AS diststyle, NULL::varchar AS sortkey1,
        (pg_relation_size(c.oid) / 1048576)::bigint AS size, greatest(c.reltuples, 0)::numeric AS tbl_rows
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema');
CREATE VIEW pg_catalog.stv_recents AS
    SELECT 0 AS userid, CASE state WHEN 'active' THEN 'Running' ELSE 'Done' END AS status,
        query_start AS starttime, (extract(epoch FROM now() - query_start) * 1000000)::bigint AS duration,
        usename AS user_name, datname AS db_name, query, pid FROM pg_stat_activity WHERE backend_type = 'client backend';
CREATE VIEW pg_catalog.stv_sessions AS
    SELECT backend_start AS starttime, pid AS process, usename AS user_name, datname AS db_name, 0 AS timeout_sec
    FROM pg_stat_activity WHERE backend_type = 'client backend';
CREATE VIEW pg_catalog.svv_transactions AS
    SELECT a.usename AS txn_owner, a.datname AS txn_db, a.backend_xid::text::bigint AS xid, l.pid,
        a.xact_start AS txn_start, l.mode AS lock_mode, l.locktype AS lockable_object_type,
        l.relation::bigint AS relation, l.granted
    FROM pg_locks l JOIN pg_stat_activity a USING (pid);
CREATE VIEW pg_catalog.pg_user_info AS
    SELECT usename, usesysid, usecreatedb, usesuper, usecatupd, passwd, valuntil, useconfig,
        'UNLIMITED'::text AS useconnlimit
    FROM (SELECT *, false AS usecatupd FROM pg_user) u;
CREATE VIEW pg_catalog.pg_proc_info AS SELECT oid AS prooid, p.* , p.prokind::text AS prokind_text FROM pg_proc p;

-- As in Redshift, everybody may create tables in public.
GRANT ALL ON SCHEMA public TO PUBLIC;
GRANT SELECT ON pg_catalog.stl_load_errors, pg_catalog.sys_load_error_detail, pg_catalog.svv_columns, pg_catalog.svv_tables,
    pg_catalog.svv_all_tables, pg_catalog.svv_all_columns, pg_catalog.svv_all_schemas, pg_catalog.svv_external_schemas,
    pg_catalog.svv_external_tables, pg_catalog.svv_external_columns, pg_catalog.svv_redshift_databases,
    pg_catalog.pg_table_def, pg_catalog.svv_table_info, pg_catalog.stv_recents, pg_catalog.stv_sessions,
    pg_catalog.svv_transactions, pg_catalog.pg_user_info, pg_catalog.pg_proc_info TO PUBLIC;
