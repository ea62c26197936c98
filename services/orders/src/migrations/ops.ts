import { Migration } from "@mikro-orm/migrations";
import { opsTables } from "@settle/chassis/ops/ops-tables";

/** Dead letters, and what operators have done. */
export class Ops extends Migration {
  override up(): void {
    this.addSql(opsTables);
  }
}
