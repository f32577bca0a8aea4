import type Database from 'libsql';
import { categoryOf } from '#libs/kernel';

export interface Category {
  readonly id: number;
  readonly name: string;
  /** Some stream of it has metadata or a tombstone. */
  managed: boolean;
}

/** The writer's view of the interned names. */
export class Names {
  readonly #database: Database.Database;
  readonly #categories = new Map<string, Category>();
  readonly #types = new Map<string, number>();
  readonly #insertCategory: Database.Statement;
  readonly #insertType: Database.Statement;
  readonly #manage: Database.Statement;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#insertCategory = database.prepare('INSERT INTO categories (name) VALUES (?)');
    this.#insertType = database.prepare('INSERT INTO types (name) VALUES (?)');
    this.#manage = database.prepare('UPDATE categories SET managed = 1 WHERE id = ?');
    this.reload();
  }

  /** After a rollback: names interned in the transaction are gone. */
  reload(): void {
    this.#categories.clear();
    this.#types.clear();
    const categories = this.#database.prepare('SELECT id, name, managed FROM categories').raw().all() as [
      number,
      string,
      number,
    ][];
    for (const [id, name, managed] of categories) this.#categories.set(name, { id, name, managed: managed === 1 });
    const types = this.#database.prepare('SELECT id, name FROM types').raw().all() as [number, string][];
    for (const [id, name] of types) this.#types.set(name, id);
  }

  category(stream: string): Category {
    const name = categoryOf(stream);
    let category = this.#categories.get(name);
    if (category === undefined) {
      const id = Number(this.#insertCategory.run([name]).lastInsertRowid);
      category = { id, name, managed: false };
      this.#categories.set(name, category);
    }
    return category;
  }

  type(name: string): number {
    let id = this.#types.get(name);
    if (id === undefined) {
      id = Number(this.#insertType.run([name]).lastInsertRowid);
      this.#types.set(unshared(name), id);
    }
    return id;
  }

  manage(category: Category): void {
    if (category.managed) return;
    this.#manage.run([category.id]);
    category.managed = true;
  }
}

/** A copy that does not keep the text alive it was sliced from. */
function unshared(slice: string): string {
  return Buffer.from(slice).toString();
}
