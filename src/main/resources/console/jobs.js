import { h } from './dom.js';
import { get, post } from './api.js';
import { ago, duration, now } from './time.js';
import { bar } from './charts.js';
import { act, badge, count, empty, failed, href, loading } from './parts.js';

const STATES = ['queued', 'processing', 'completed', 'failed'];
const PAGE = 30;

const requestId = () =>
  'console-' + [...crypto.getRandomValues(new Uint8Array(12))].map(b => b.toString(16).padStart(2, '0')).join('');

function took(job) {
  if (!job.started_at) return null;
  const end = job.completed_at ? new Date(job.completed_at).getTime() : now();
  return duration(end - new Date(job.started_at).getTime());
}

/** Functions as bars of their duration, beside the longest. */
function functions(job) {
  const r = job.results || {};
  const ended = r.function_results || [];
  const running = r.running_functions || [];
  if (!ended.length && !running.length)
    return h('p', { class: 'dim' }, job.status === 'queued' ? 'It has not begun.' : 'No function has reported yet.');
  const longest = Math.max(1, ...ended.map(f => f.duration || 0));
  const row = (f, kind, part, note) =>
    h(
      'li',
      { key: f.function, class: kind },
      h('span', { class: 'fn' }, f.function),
      h('span', { class: 'bar' }, bar(part, kind, `${kind}, ${note}`)),
      h('span', { class: 'number' }, note),
      f.error ? h('span', { class: 'error' }, f.error) : null,
    );
  return h(
    'ul',
    { class: 'functions' },
    running.map(name => row({ function: name }, 'processing', 100, 'running')),
    [...ended]
      .sort((a, b) => (a.status === b.status ? b.duration - a.duration : a.status === 'failed' ? -1 : 1))
      .map(f =>
        row(f, f.status === 'success' ? 'completed' : 'failed', (100 * f.duration) / longest, duration(f.duration)),
      ),
  );
}

/** @param functions how many a job runs, while it has not said so itself */
function progress(job, functions) {
  const r = job.results || {};
  const good = r.successful_functions || 0;
  const bad = r.failed_functions || 0;
  const running = (r.running_functions || []).length;
  const all = Math.max(
    r.total_functions || 0,
    good + bad + running,
    job.status === 'queued' || !r.total_functions ? functions : 1,
  );
  const said =
    job.status === 'queued' && !good
      ? 'not begun'
      : `${good + bad} of ${all} functions ended${bad ? `, ${bad} failed` : ''}`;
  return h(
    'span',
    { class: 'progress', role: 'img', 'aria-label': said, title: said },
    Array.from({ length: all }, (_, i) =>
      h('span', {
        class: i < good ? 'completed' : i < good + bad ? 'failed' : i < good + bad + running ? 'processing' : '',
      }),
    ),
  );
}

export default {
  title: 'Jobs',
  open(ctx) {
    const state = { jobs: null, total: 0, error: null, asked: 0 };
    const path = () => {
      const { status, limit, job } = ctx.params;
      if (job) return `/api/admin/jobs/${encodeURIComponent(job)}`;
      const query = new URLSearchParams({ limit: Math.min(1000, Number(limit) || PAGE) });
      if (STATES.includes(status)) query.set('status', status);
      return '/api/admin/jobs?' + query;
    };
    async function load() {
      const mine = ++state.asked;
      const answer = await get(path());
      if (mine !== state.asked || answer.status === 401) return;
      state.error = answer.ok ? null : answer.error;
      if (answer.ok) {
        state.jobs = answer.data.jobs || [answer.data];
        state.total = answer.data.total_count || state.jobs.length;
      }
      ctx.draw();
    }
    if (ctx.overview) load();

    function row(job) {
      const payload = job.job_payload || {};
      const took_ = took(job);
      return h(
        'li',
        { class: `job ${job.status}`, key: job.id, 'data-job': job.id, 'data-status': job.status },
        h(
          'details',
          { open: job.status === 'processing' || (job.status === 'failed' && ctx.params.job === job.id) || null },
          h(
            'summary',
            {},
            badge(job.status, job.status === 'failed' && job.error_message === 'cancelled' ? 'cancelled' : job.status),
            h(
              'span',
              { class: 'who' },
              h('strong', {}, payload.triggeredBy || job.job_type),
              ' ',
              h('span', { class: 'dim mono' }, job.id.slice(0, 8)),
            ),
            progress(job, (ctx.overview && ctx.overview.stats_functions) || 1),
            h('span', { class: 'dim' }, ago(job.created_at)),
            h('span', { class: 'number' }, took_ || ''),
          ),
          h(
            'div',
            { class: 'inside' },
            job.error_message && job.error_message !== 'cancelled' ? h('p', { class: 'bad' }, job.error_message) : null,
            functions(job),
            h(
              'dl',
              { class: 'facts' },
              [
                [
                  'Request',
                  payload.requestId &&
                    h('a', { class: 'tag', href: href('audit', { request_id: payload.requestId }) }, payload.requestId),
                ],
                ['Match', payload.matchId],
                ['User', payload.userId],
                ['Tenant', job.tenant_id],
                ['Worker', job.worker_id],
                ['Priority', job.priority],
                ['Retries', job.retry_count],
                [
                  'Caches',
                  job.results &&
                    (job.results.cache_invalidation_success
                      ? 'refreshed'
                      : job.status === 'completed'
                        ? 'owed or skipped'
                        : null),
                ],
                ['Job', h('a', { class: 'tag', href: href('jobs', { job: job.id }) }, job.id)],
              ]
                .filter(([, value]) => value !== null && value !== undefined && value !== '')
                .map(([name, value]) => [
                  h('dt', {}, name),
                  h('dd', {}, value instanceof Node ? value : String(value)),
                ]),
            ),
          ),
        ),
        h(
          'div',
          { class: 'do' },
          job.status === 'failed'
            ? act(ctx, 'Retry', () => post(`/api/admin/jobs/${job.id}/retry`), {
                label: `Retry job ${job.id.slice(0, 8)}`,
                done: d => d.message,
                then: load,
              })
            : null,
          job.status === 'queued'
            ? act(ctx, 'Cancel', () => post(`/api/admin/jobs/${job.id}/cancel`), {
                label: `Cancel job ${job.id.slice(0, 8)}`,
                done: d => d.message,
                then: load,
              })
            : null,
        ),
      );
    }

    return {
      refresh: load,
      changed(before, after) {
        if (!state.jobs || !before.jobs || (after.jobs && before.jobs.revision !== after.jobs.revision)) load();
      },
      draw() {
        const totals = (ctx.overview && ctx.overview.jobs) || {};
        const chosen = ctx.params.job ? null : STATES.includes(ctx.params.status) ? ctx.params.status : '';
        const limit = Math.min(1000, Number(ctx.params.limit) || PAGE);
        return [
          h(
            'div',
            { class: 'title' },
            h(
              'ul',
              { class: 'pick', 'aria-label': 'Which jobs' },
              ['', ...STATES].map(status =>
                h(
                  'li',
                  {},
                  h(
                    'a',
                    {
                      class: `pick-${status || 'all'}`,
                      href: href('jobs', { status }),
                      'aria-current': chosen === status ? 'true' : null,
                    },
                    status || 'all',
                    status && totals[status] !== undefined
                      ? h('span', { class: 'number' }, count(totals[status]) + (totals.capped ? '+' : ''))
                      : null,
                  ),
                ),
              ),
            ),
            act(
              ctx,
              'Run now',
              () => post('/api/admin/enqueue-stats-job', { triggeredBy: 'admin', requestId: requestId() }),
              { class: 'strong', title: 'Queue a job that runs all functions', done: d => d.message, then: load },
            ),
          ),
          state.error && !state.jobs
            ? failed(state.error, load)
            : !state.jobs
              ? loading()
              : !state.jobs.length
                ? empty(
                    chosen ? `No job is ${chosen}.` : 'No job has run yet.',
                    'A row in background_job_status is a job; so is “Run now”.',
                  )
                : h('ul', { class: 'jobs' }, state.jobs.map(row)),
          state.jobs && state.total > state.jobs.length && !ctx.params.job
            ? h(
                'p',
                { class: 'more' },
                h(
                  'a',
                  { href: href('jobs', { status: ctx.params.status, limit: limit + PAGE }) },
                  `Show more of ${count(state.total)}`,
                ),
              )
            : null,
          ctx.params.job ? h('p', {}, h('a', { href: href('jobs') }, 'All jobs')) : null,
        ];
      },
    };
  },
};
