import { html, type Markup, type Part } from './html.js';

export interface Column {
  readonly name: string;
  /** How its cells are set; those of `head` are the heads of their rows. */
  readonly kind?: 'number' | 'date' | 'rule' | 'head';
}

export interface Row {
  readonly cells: readonly Part[];
  /** What stands below the cells, over the whole width. */
  readonly more?: Part;
}

export interface Table {
  readonly label: string;
  readonly caption: string;
  /** The caption is for who hears the page, unless it says more than the heading above it. */
  readonly captionShown?: boolean;
  readonly kind?: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** Where the window is narrow, a row becomes a record: each cell but the first, which names it, says of which column it is. */
export function table({ label, caption, captionShown, kind, columns, rows }: Table): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table${kind && html` class="${kind}"`}>
<caption${!captionShown && html` class="unseen"`}>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col"${classOf(column)}>${column.name}</th>`)}</tr></thead>
<tbody>${rows.map(
    ({ cells, more }) => html`<tr${more && html` class="figures"`}>
${cells.map((cell, i) => cellOf(cell, columns[i]!, i > 0))}
</tr>
${more && html`<tr class="why"><td colspan="${columns.length}">${more}</td></tr>\n`}`,
  )}</tbody></table></div>`;
}

const classOf = ({ kind }: Column) => kind && kind !== 'head' && html` class="${kind}"`;

function cellOf(cell: Part, column: Column, labelled: boolean): Markup {
  if (column.kind === 'head') return html`<th scope="row">${cell}</th>`;
  return html`<td${classOf(column)}${labelled && html` data-label="${column.name}"`}>${cell}</td>`;
}
