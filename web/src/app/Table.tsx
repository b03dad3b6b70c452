/** Rows and columns; on a phone every row becomes a block with its columns' names. */

import type { ReactNode } from "react";

import classes from "./Table.module.css";

export interface Column<T> {
  /** Empty for the one whose cells speak for themselves. */
  name: string;
  /** Numbers stand at the right. */
  right?: boolean;
  /** Sentences get the room that the others leave. */
  wide?: boolean;
  cell: (row: T) => ReactNode;
}

interface TableProps<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  keyOf: (row: T) => string;
}

export function Table<T>({ label, columns, rows, keyOf }: TableProps<T>) {
  return (
    <table className={classes.table} aria-label={label}>
      <thead>
        <tr>
          {columns.map(({ name, right }) =>
            name ? (
              <th key={name} scope="col" data-right={right}>
                {name}
              </th>
            ) : (
              <td key={name} />
            ),
          )}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ name, right, wide, cell }) => (
              <td key={name} data-right={right} data-wide={wide} data-name={name}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
