/** Rows and columns; on a phone every row becomes a block with its columns' names. */

import type { ReactNode } from "react";

import classes from "./Table.module.css";

export interface Column<T> {
  name: string;
  /** Numbers stand at the right. */
  right?: boolean;
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
          {columns.map(({ name, right }) => (
            <th key={name} scope="col" data-right={right}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ name, right, cell }) => (
              <td key={name} data-right={right} data-name={name}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
